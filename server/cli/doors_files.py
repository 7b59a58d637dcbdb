"""`fhirwright doors ccda|folder|sftp`: files of documents, once or as they come (docs/doors.md)."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.exits import Exit
from server.cli.places import FILE, FOLDER
from server.cli.terminal import note, print_json
from server.settings import read_settings

if TYPE_CHECKING:
    from server.doors.rows import Outcome
    from server.interactions.fhir import Fhir

Database = Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")]
Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Once = Annotated[bool, typer.Option("--once", help="Take what is there, and end.")]
Every = Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1, max=86_400)]


def ccda(
    files: Annotated[list[Path], typer.Argument(**FILE, help="C-CDA documents.")],
    check: Annotated[bool, typer.Option("--check", help="Tell what they would become, and store nothing.")] = False,
    database: Database = None,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Store C-CDA documents with the resources of their entries; each once, later versions in place of earlier ones.

    What cannot be used goes into quarantine with its reason, and the exit code is 5. Examples:

    fhirwright doors ccda summary.xml; fhirwright doors ccda --check *.xml
    """
    if check:
        _check(files, json)
        return
    from server.doors.files import take_ccda
    from server.doors.folder import read_bounded

    with _opened(database, data) as fhir:
        most = fhir.settings.document_bytes
        outcomes = [(path, take_ccda(fhir, read_bounded(path, most))) for path in files]
    told = [{"file": path.name, **_told(outcome)} for path, outcome in outcomes]
    if json:
        print_json(told)
    else:
        for one in told:
            note(" ".join(str(one[name]) for name in ("file", "state", "reason", "text") if one[name]))
    if any(outcome.state != "stored" for _, outcome in outcomes):
        raise typer.Exit(Exit.REFUSED)


def _check(files: list[Path], json: bool) -> None:
    from extractors.pages.limits import Refused
    from server.doors.ccda import map_document
    from server.doors.documents import limits_of
    from server.doors.folder import read_bounded

    settings, told = read_settings(), []
    for path in files:
        one: dict[str, object] = {"file": path.name}
        try:
            content = read_bounded(path, settings.document_bytes)
            mapped = map_document(content, limits_of(settings), "1970-01-01T00:00:00Z")
            kinds = Counter(resource["resourceType"] for resource in mapped.resources)
            one |= {"resources": dict(sorted(kinds.items())), "notes": list(mapped.notes)}
        except Refused as refused:
            one |= {"reason": refused.code, "text": refused.text}
        told.append(one)
    if json:
        print_json(told)
    else:
        for one in told:
            note(" ".join(f"{value}" for value in one.values() if value))
    if any("reason" in one for one in told):
        raise typer.Exit(Exit.REFUSED)


def folder(
    path: Annotated[Path, typer.Argument(**FOLDER, help="The folder to watch.")],
    pattern: Annotated[str, typer.Option(help="Regular expression that finds `(?P<mrn>…)` in a file's name.")] = "",
    system: Annotated[str, typer.Option(help="Identifier system of those numbers.")] = "",
    quiet: Annotated[float, typer.Option(help="Seconds without a change before a file is whole.", min=0)] = 2.0,
    every: Every = 5.0,
    once: Once = False,
    database: Database = None,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Store the files that are put into a folder: documents to be coded, C-CDA, FHIR JSON and NDJSON.

    What is stored is moved to done/, what cannot be used to quarantine/ with its reason beside it.
    A file `scan.pdf.json` beside `scan.pdf` may name its patient.
    """
    from server.doors.folder import Folder, Rules

    found = _pattern(pattern)
    with _opened(database, data) as fhir:
        watched = Folder(path, fhir, Rules(found, system, quiet))
        with watched.alone():
            outcomes = watched.look(time.time())
            if once:
                time.sleep(min(max(quiet, 0.05), 60.0))
                outcomes += watched.look(time.time())
            while not once:
                time.sleep(every)
                _say(watched.look(time.time()))
    _end(outcomes, json)


def sftp(
    path: Annotated[Path, typer.Argument(**FILE, help="TOML file that names the server, the folder and the key.")],
    every: Every = 60.0,
    once: Once = False,
    database: Database = None,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Pull files from a folder of an SFTP server whose host key is known, and put them away there (docs/doors.md)."""
    from fhir_profiles.errors import Category, FhirError
    from server.doors.sftp import Pull, read_remote

    remote = read_remote(path)

    async def run(fhir: Fhir) -> list[Outcome]:
        pull = Pull(remote, fhir)
        outcomes = await pull.look()
        if once:
            await asyncio.sleep(1.0)
            return outcomes + await pull.look()
        while True:
            await asyncio.sleep(every)
            try:
                _say(await pull.look())
            except FhirError as error:
                if error.category is not Category.UNAVAILABLE:
                    raise
                note(f"warning: {error}")

    with _opened(database, data) as fhir:
        outcomes = asyncio.run(run(fhir))
    _end(outcomes, json)


def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        found = re.compile(text) if text else None
    except re.error:
        raise typer.BadParameter("The pattern is no regular expression.") from None
    if found is not None and "mrn" not in found.groupindex:
        raise typer.BadParameter("The pattern has no group named mrn.")
    return found


@contextmanager
def _opened(database: str | None, data: Path | None) -> Iterator[Fhir]:
    from server.observability import configure_logging
    from server.parts import join
    from server.phi.keys import keys_of
    from server.store import open_store

    settings = read_settings(database=database, data=data)
    configure_logging(settings)
    store = open_store(settings.database_url, keys=keys_of(settings))
    try:
        yield join(store, settings).fhir
    finally:
        store.close()


def _told(outcome: Outcome) -> dict[str, object]:
    return {
        "state": outcome.state,
        "reason": outcome.reason,
        "text": outcome.text,
        "known": outcome.known,
        "written": list(outcome.written),
    }


def _say(outcomes: list[Outcome]) -> None:
    if outcomes:
        counts = Counter(outcome.state for outcome in outcomes)
        note(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))


def _end(outcomes: list[Outcome], json: bool) -> None:
    if json:
        print_json([_told(outcome) for outcome in outcomes])
    else:
        _say(outcomes)
    if any(outcome.state != "stored" for outcome in outcomes):
        raise typer.Exit(Exit.REFUSED)
