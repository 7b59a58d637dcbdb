"""`fhirwright stream`: messages of Kafka in, changes out, and how both stand."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.exits import Exit
from server.cli.terminal import note, print_json, print_table
from server.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from server.parts import Parts

stream = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Database = Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")]
Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@stream.callback()
def about() -> None:
    """Messages of Kafka in, changes out, and how both stand.

    Brokers, topics and what leaves are settings: FHIRWRIGHT_STREAM_…
    """


@stream.command("in")
def in_(database: Database = None, data: Data = None) -> None:
    """Store what the topics bring; any number of these share the partitions.

    A message is acknowledged when its effects are on disk. SIGTERM lets what was read be finished first.
    """
    from server.streaming.consume import Consumer

    settings = _settings(database, data)
    if not settings.stream_topics:
        raise SettingsError("FHIRWRIGHT_STREAM_TOPICS: name at least one topic to read.")
    with _joined(settings) as parts:
        consumer = Consumer(parts.fhir, settings)
        note("stream in: reading")
        consumer.run(_until_signal())


@stream.command()
def out(database: Database = None, data: Data = None) -> None:
    """Publish changes as CloudEvents; of several of these one does, and another takes over when it dies."""
    from server.streaming.client import publisher_properties
    from server.streaming.publish import publish

    settings = _settings(database, data)
    if not settings.stream_out_types:
        raise SettingsError("FHIRWRIGHT_STREAM_OUT_TYPES: name at least one type to publish, or `*`.")
    publisher_properties(settings)  # says at once what is wrong with the settings
    with _joined(settings) as parts:
        note("stream out: publishing")
        publish(parts.fhir, settings, _until_signal())


@stream.command()
def status(database: Database = None, data: Data = None, json: Json = False) -> None:
    """Tell how far each partition is read, what became of messages, and what waits to be published.

    Exit code 4 when the brokers do not answer; without a topic in the settings they are not asked.
    """
    from server.streaming.standing import standing

    settings = _settings(database, data)
    with _joined(settings) as parts:
        rows = standing(parts.fhir.store, settings)
    if json:
        print_json({"standing": [{"what": what, "of": of, "number": number} for what, of, number in rows]})
    else:
        print_table(("what", "of", "number"), [(what, of, str(number)) for what, of, number in rows])
    raise typer.Exit(Exit.OK)


def _settings(database: str | None, data: Path | None) -> Settings:
    from server.observability import configure_logging
    from server.streaming.client import client_properties, kafka

    settings = read_settings(database=database, data=data)
    configure_logging(settings)
    client_properties(settings)
    kafka()
    settings.data.mkdir(parents=True, exist_ok=True)
    return settings


@contextmanager
def _joined(settings: Settings) -> Iterator[Parts]:
    from server.parts import join
    from server.phi.keys import keys_of
    from server.store import open_store

    store = open_store(settings.database_url, keys=keys_of(settings))
    try:
        yield join(store, settings)
    finally:
        store.close()


def _until_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
