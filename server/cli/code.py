"""`fhirwright code`: code files, or a stream of notes, and print the result; nothing is stored."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.exits import Exit
from server.cli.terminal import note, print_table
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from extractors.model import Coded, Document


class Engine(StrEnum):
    """What runs the assertion and section rules."""

    compiled = "compiled"
    medspacy = "medspacy"


def code(
    files: Annotated[list[Path] | None, typer.Argument(help="PDF, TIFF, PNG, JPEG, text, HTML, RTF or C-CDA.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help="Notes, one JSON object a line; - is standard input.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the answers to --jsonl go. [standard output]")] = None,
    processes: Annotated[int, typer.Option(min=1, max=1024, help="Processes for --jsonl.")] = 1,
    engine: Annotated[Engine, typer.Option(help="What runs the assertion and section rules.")] = Engine.compiled,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the transaction Bundle of each file.")] = False,
) -> None:
    """Code documents and print the result without storing it; no database is needed."""
    settings = read_settings(data=data, findings_engine=engine.value)
    if (jsonl is None) == (not files):
        raise typer.BadParameter("Name files to code, or notes with --jsonl.")
    if jsonl is not None:
        _notes(jsonl, out, settings, processes)
        return
    refused = [path for path in files or () if not _file(path, settings, as_json=json)]
    if refused:
        raise typer.Exit(Exit.REFUSED)


def _notes(source: Path, out: Path | None, settings: Settings, processes: int) -> None:
    """Stream notes through."""
    from server.jobs.notes import code_notes

    with ExitStack() as stack:
        lines = sys.stdin.buffer if str(source) == "-" else stack.enter_context(source.open("rb"))
        target = stack.enter_context(out.open("wb")) if out else sys.stdout.buffer
        for answer in code_notes(lines, settings.data, engine=settings.findings_engine, processes=processes):
            target.write(answer)
        target.flush()


def _file(path: Path, settings: Settings, *, as_json: bool) -> bool:
    """Code one file; False when it was refused."""
    from datetime import UTC, datetime

    from extractors.pages import Refused
    from server.jobs.bounds import bounds_of
    from server.jobs.children import Failure
    from server.jobs.stages import Stages

    stages = Stages(bounds_of(settings))
    try:
        body = path.read_bytes()
        if as_json:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            sys.stdout.write(stages.run("bundle", [body, None, now]).decode() + "\n")
        else:
            document = stages.pipeline.read(body, cache=stages.cache)
            _table(path, document, stages.pipeline.code(stages.pipeline.find(document), document))
    except (Failure, Refused) as refusal:
        note(f"error: {path.name}: {refusal.text}")
        return False
    except OSError as error:
        note(f"error: {path.name}: {error.strerror}")
        return False
    return True


def _table(path: Path, document: Document, coded: Coded) -> None:
    """Code, meaning, status, confidence, page and the words that prove it."""
    rows = [
        [
            code.code,
            code.display,
            code.status,
            f"{code.confidence:.2f}",
            _page(document, code.start),
            " ".join(document.text[code.start : code.end].split()),
        ]
        for code in coded.codes
    ]
    print_table(("Code", "Meaning", "Status", "Confidence", "Page", "Words"), rows, title=path.name)


def _page(document: Document, start: int) -> str:
    return next((str(page.number) for page in document.pages if page.start <= start < page.end), "")
