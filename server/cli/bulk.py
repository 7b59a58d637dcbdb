"""`fhirwright bulk`: folders and object stores of documents, notes and claims, on this machine or a Ray cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from server.cli.code import _CHOSEN, Convention, cores
from server.cli.exits import Exit
from server.cli.places import FILE, there
from server.cli.terminal import console, note, print_json
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from server.bulk.place import Place
    from server.bulk.run import Progress, Summary
    from server.bulk.source import Input
    from server.bulk.work import Work

bulk = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


class Form(StrEnum):
    """How the output is written."""

    ndjson = "ndjson"
    parquet = "parquet"


Given = Annotated[
    str, typer.Argument(metavar="INPUT", help="File, folder, glob or URI (s3://…) of documents, NDJSON or Parquet.")
]
Output = Annotated[str, typer.Option(help="Folder or URI for the output; one that a killed run left is gone on with.")]
Format = Annotated[Form, typer.Option("--format", help="Lines of JSON, or Parquet.")]
Ray = Annotated[str | None, typer.Option(help="Work on the Ray cluster at this address: HOST:PORT or auto.")]
Count = Annotated[int, typer.Option(min=0, max=1024, help="Processes of this machine; 0 is one for each core.")]
Import = Annotated[str | None, typer.Option("--import", help="Base URL of a server, or URL of a database.")]
Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
Json = Annotated[bool, typer.Option("--json", help="Progress on stderr and the summary on stdout as JSON.")]


@bulk.callback()
def about() -> None:
    """Work on millions of documents, notes, claims or stored resources.

    Run again after a kill, it goes on where it was; the output is the same to the byte, whoever works.
    """


@bulk.command()
def code(
    input_: Given,
    output: Output,
    format_: Format = Form.ndjson,
    ray: Ray = None,
    processes: Count = 0,
    convention: Annotated[Convention, typer.Option(help="What is coded: see fhirwright code.")] = Convention.auto,
    resources: Annotated[bool, typer.Option(help="Write the FHIR resources of each item, too.")] = False,
    on: Annotated[str | None, typer.Option(help="The day that resources tell, YYYY-MM-DD. [today]")] = None,
    import_: Import = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Code documents (PDF, pictures, text), notes, and DocumentReferences with their attachments."""
    from server.bulk.coding import Coding
    from server.bulk.source import Source
    from server.jobs.bounds import bounds_of

    settings = read_settings(data=data)
    day = f"{_day(on)}T00:00:00Z" if resources or import_ else ""
    place = _place(output)
    work = Coding(bounds_of(settings), _CHOSEN[convention], day)
    source = Source(there(input_), settings.document_bytes)
    summary = _run(work, source, place, format_, ray, processes, json, output)
    _hand_over(import_, place, format_, settings)
    _ended(summary)


@bulk.command()
def claims(
    input_: Given,
    output: Output,
    format_: Format = Form.ndjson,
    ray: Ray = None,
    processes: Count = 0,
    rules: Annotated[
        Path | None, typer.Option(**FILE, help="Rules of your own (TOML), beside those that ship.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="The day on which the claims came, YYYY-MM-DD. [today]")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Scrub and price claims: a ClaimResponse for each, findings, and prices of lines."""
    from server.bulk.claiming import Claiming
    from server.bulk.source import Source

    settings, place = read_settings(data=data), _place(output)
    work = Claiming(str(settings.data), _day(on), str(rules or ""))
    source = Source(there(input_), settings.document_bytes)
    _ended(_run(work, source, place, format_, ray, processes, json, output))


@bulk.command()
def reindex(
    input_: Annotated[str, typer.Argument(metavar="INPUT", help="URL of a database, or - for FHIRWRIGHT_DATABASE.")],
    output: Output,
    types: Annotated[list[str] | None, typer.Option("--type", help="A resource type; all without one.")] = None,
    format_: Format = Form.ndjson,
    ray: Ray = None,
    processes: Count = 1,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make the search index of stored resources again. Searches and writes may go on."""
    from contextlib import closing

    from fhir_profiles.definitions import load
    from server.bulk.reindexing import Reindexing, Stored
    from server.phi.keys import keys_of
    from server.store import open_store

    if unknown := sorted(set(types or ()) - set(load().resource_types)):
        raise typer.BadParameter(f"R4 has no resource type {', '.join(unknown)}.")
    settings = read_settings(data=data, database=None if input_ == "-" else input_)
    work = Reindexing(str(settings.data), None if input_ == "-" else input_)
    with closing(open_store(settings.database_url, keys=keys_of(settings))) as store:
        source = Stored(store, types or ())
        summary = _run(work, source, _place(output), format_, ray, processes, json, output)
        if not types:
            source.finish()
    _ended(summary)


def _run(
    work: Work, source: Input, place: Place, form: Form, ray: str | None, processes: int, json: bool, output: str
) -> Summary:
    """Do it, and say what came of it."""
    from server.bulk.run import Task, run

    task = Task(work, form.value, processes or cores(), ray)
    with _progress(json) as told:
        summary = run(task, source, place, told)
    if json:
        print_json({"items": summary.items, "refused": summary.refused, "files": summary.files, "output": output})
    else:
        note(f"{summary.items:,} items, {summary.refused:,} of them refused with a reason. Written to {output}.")
    return summary


def _hand_over(to: str | None, place: Place, form: Form, settings: Settings) -> None:
    """Give the resources to a server or a database."""
    if to is None:
        return
    from server.bulk.handing import hand_over

    told = hand_over(to, place, form.value, settings)
    note(f"{told.stored:,} resources stored, {told.refused:,} refused.")
    if told.refused:
        raise typer.Exit(Exit.REFUSED)


def _ended(summary: Summary) -> None:
    if summary.refused:
        raise typer.Exit(Exit.REFUSED)


def _place(output: str) -> Place:
    from server.bulk.place import place_of

    return place_of(output)


def _day(on: str | None) -> str:
    try:
        return (date.fromisoformat(on) if on else datetime.now(UTC).date()).isoformat()
    except ValueError:
        raise typer.BadParameter("A date is written as 2026-10-01.") from None


@contextmanager
def _progress(json: bool) -> Iterator[Callable[[Progress], None]]:
    """Who hears how far a run is: one changing line for people, or a line of JSON at most once a second."""
    last = 0.0
    if json:

        def told(at: Progress) -> None:
            nonlocal last
            if time.monotonic() - last >= 1:
                last = time.monotonic()
                note(orjson.dumps({"items": at.items, "refused": at.refused, "per_second": round(at.rate, 1)}).decode())

        yield told
        return
    with console().status("opening terminology and rules") as status:
        yield lambda at: status.update(f"{at.items:,} items, {at.refused:,} refused, {at.rate:,.0f} a second")
