"""`fhirwright doors`: the other doors in, and the quarantine that they share (docs/doors.md)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from server.cli.doors_files import ccda, folder, sftp
from server.cli.exits import Exit
from server.cli.terminal import note, print_json
from server.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from server.doors.arrivals import ToBundle
    from server.doors.mllp import Listener
    from server.doors.rows import Outcome, Row
    from server.interactions.fhir import Fhir

doors = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, help="Other doors in, and their quarantine."
)
Database = Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")]
Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Id = Annotated[str, typer.Argument(help="The id of the row, as `list` tells it.")]
State = Literal["quarantined", "stored", "discarded"]
for _command in (ccda, folder, sftp):
    doors.command()(_command)


@doors.command("list")
def list_(
    database: Database = None,
    data: Data = None,
    door: Annotated[str, typer.Option(help="Only of this door.")] = "",
    state: Annotated[State, typer.Option(help="What became of it.")] = "quarantined",
    most: Annotated[int, typer.Option(help="Most rows.", min=1, max=10_000)] = 100,
    json: AsJson = False,
) -> None:
    """List what lies in quarantine, or what was stored or discarded; the newest first."""
    from server.doors.rows import rows

    with opened(read_settings(database=database, data=data)) as fhir:
        found = rows(fhir.store, state, door=door, most=most)
    if json:
        print_json([told(one) for one in found])
        return
    for one in found:
        note(f"{one.id} {_when(one.at)} {one.door} {one.reason or one.state}: {_first(one.text)}")
    note(f"{len(found)} {state}.")


@doors.command()
def show(
    id: Id,
    database: Database = None,
    data: Data = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the bytes to stdout: they hold what patients told.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show a row of the ledger; with --raw the bytes themselves, as long as they lie in quarantine."""
    from server.doors.rows import raw_of, row_of

    with opened(read_settings(database=database, data=data)) as fhir:
        if raw:
            sys.stdout.buffer.write(raw_of(fhir.store, id))
            return
        found = row_of(fhir.store, id)
    if json:
        print_json(told(found))
        return
    for name, value in told(found).items():
        note(f"{name}: {value if isinstance(value, str) else ' '.join(value)}")


@doors.command()
def retry(id: Id, database: Database = None, data: Data = None, json: AsJson = False) -> None:
    """Try again what lies in quarantine, after its cause was seen to. Exit code 5 when it is of no use still."""
    from server.doors.arrivals import Arrival
    from server.doors.arrivals import retry as again
    from server.doors.rows import raw_of, row_of

    with opened(read_settings(database=database, data=data)) as fhir:
        row = row_of(fhir.store, id)
        outcome = again(fhir, Arrival(row.door, row.key, raw_of(fhir.store, id)), maker_of(fhir, row.door, row.key))
    _tell(outcome, as_json=json)
    if outcome.state != "stored":
        raise typer.Exit(Exit.REFUSED)


@doors.command()
def discard(id: Id, database: Database = None, data: Data = None) -> None:
    """Throw away the bytes of what lies in quarantine, for good; its row stays."""
    from server.doors.rows import discard as throw

    with opened(read_settings(database=database, data=data)) as fhir:
        throw(fhir.store, id)
    note("Discarded.")


@doors.command()
def prune(database: Database = None, data: Data = None, json: AsJson = False) -> None:
    """Forget what is older than FHIRWRIGHT_DOORS_KEEP_DAYS and FHIRWRIGHT_DOORS_QUARANTINE_DAYS say."""
    from server.doors.rows import prune as forget

    settings = read_settings(database=database, data=data)
    with opened(settings) as fhir:
        gone = forget(fhir.store, settings, time.time_ns() // 1_000_000)
    if json:
        print_json({"forgotten": gone})
    else:
        note(f"{gone:,} rows forgotten.")


@doors.command()
def mllp(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 lets the system choose.", min=0, max=65535)] = 2575,
    database: Database = None,
    data: Data = None,
) -> None:
    """Take HL7 v2 messages over MLLP until SIGTERM; each is acknowledged when it is on disk."""
    from server.doors.mllp import Listener
    from server.observability import configure_logging
    from server.tenants import furnish, settings_of

    settings = read_settings(database=database, data=data)
    configure_logging(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        houses = {"": stack.enter_context(opened(settings))}
        for tenant, own in settings_of(settings).items():
            furnish(own, settings)
            houses[tenant] = stack.enter_context(opened(own))
        listener = Listener(settings, houses)
        asyncio.run(_listen(listener, host, port))
        listener.close()


async def _listen(listener: Listener, host: str, port: int) -> None:
    stop = asyncio.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wanted, stop.set)
    server = await listener.start(host, port)
    note(f"mllp listens on {host} port {server.sockets[0].getsockname()[1]} (process {os.getpid()})")
    pruning = asyncio.create_task(listener.prune())
    await stop.wait()
    server.close()
    pruning.cancel()


@contextmanager
def opened(settings: Settings) -> Iterator[Fhir]:
    """The interactions of a server, with all that follows its writes."""
    from server.parts import join
    from server.phi.keys import keys_of
    from server.store import open_store

    store = open_store(settings.database_url, keys=keys_of(settings))
    try:
        yield join(store, settings).fhir
    finally:
        store.close()


def maker_of(fhir: Fhir, door: str, key: str) -> ToBundle:
    """What makes resources of the bytes of a door; SettingsError for a door that has none here."""
    from server.doors.files import maker_of as of_files
    from server.doors.v2.message import reader
    from server.streaming.bundle import DOOR, to_bundle

    makers: dict[str, Callable[[], ToBundle | None]] = {
        "mllp": lambda: reader(fhir.settings),
        DOOR: lambda: partial(to_bundle, key, "", fhir.settings.stream_types),
    }
    made = makers.get(door, lambda: of_files(fhir, door))()
    if made is None:
        raise SettingsError("What came by this door can only be sent again by its sender.")
    return made


def told(row: Row) -> dict[str, Any]:
    """A row as it is printed."""
    return {**row._asdict(), "at": _when(row.at), "written": list(row.written)}


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")


def _first(text: str) -> str:
    return text.partition("\n")[0]


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print_json(outcome._asdict())
    else:
        note(f"{outcome.state} {outcome.reason} {outcome.text}".strip())
