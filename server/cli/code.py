"""`fhirwright code`: code files, or a stream of notes, and print the result; nothing is stored."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from server.cli.exits import Exit
from server.cli.places import FILE, STREAM
from server.cli.terminal import note, print_table
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from extractors.model import Coded, Document
    from server.adjudication.session import Session
    from server.jobs.stages import Stages


class Engine(StrEnum):
    """What runs the assertion and section rules."""

    compiled = "compiled"
    medspacy = "medspacy"


class Convention(StrEnum):
    """What is coded of a note."""

    auto = "auto"
    guidelines = "guidelines"
    mentions = "mentions"


_CHOSEN: dict[Convention, Literal["guidelines", "mentions"] | None] = {
    Convention.auto: None,
    Convention.guidelines: "guidelines",
    Convention.mentions: "mentions",
}


class Adjudicate(StrEnum):
    """Whether a language model is asked."""

    off = "off"
    on = "on"
    replay = "replay"


def code(
    files: Annotated[
        list[Path] | None, typer.Argument(**FILE, help="PDF, TIFF, PNG, JPEG, text, HTML, RTF or C-CDA.")
    ] = None,
    jsonl: Annotated[
        Path | None, typer.Option(**STREAM, help="Notes, one JSON object a line; - is standard input.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the answers to --jsonl go. [standard output]")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes for --jsonl. [one per core]")
    ] = None,
    convention: Annotated[
        Convention,
        typer.Option(
            help="For --jsonl: what guidelines ask of an encounter, all mentions as in case reports, or what fits."
        ),
    ] = Convention.auto,
    engine: Annotated[Engine, typer.Option(help="What runs the assertion and section rules.")] = Engine.compiled,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the transaction Bundle of each file.")] = False,
    adjudicate: Annotated[
        Adjudicate | None,
        typer.Option(help="Ask a language model about suggested codes, or replay its kept answers."),
    ] = None,
) -> None:
    """Code documents and print the result without storing it; no database is needed."""
    settings = read_settings(data=data, findings_engine=engine.value, adjudication=adjudicate and adjudicate.value)
    if (jsonl is None) == (not files):
        raise typer.BadParameter("Name files to code, or notes with --jsonl.")
    if jsonl is not None:
        _notes(jsonl, out, settings, processes or cores(), convention)
        return
    stages, session = _opened(settings)
    refused = [path for path in files or () if not _file(path, stages, session, as_json=json)]
    if refused:
        raise typer.Exit(Exit.REFUSED)


def cores() -> int:
    """The cores that this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _notes(source: Path, out: Path | None, settings: Settings, processes: int, convention: Convention) -> None:
    """Stream notes through."""
    from server.jobs.notes import code_notes

    with ExitStack() as stack:
        lines = sys.stdin.buffer if str(source) == "-" else stack.enter_context(source.open("rb"))
        target = stack.enter_context(out.open("wb")) if out else sys.stdout.buffer
        for answer in code_notes(lines, settings, processes=processes, convention=_CHOSEN[convention]):
            target.write(answer)
        target.flush()


def _opened(settings: Settings) -> tuple[Stages, Session | None]:
    """The stages, and the adjudication where the settings ask for one."""
    from server.adjudication.opening import open_court
    from server.adjudication.session import Session
    from server.jobs.bounds import bounds_of
    from server.jobs.stages import Stages

    stages, court = Stages(bounds_of(settings)), open_court(settings)
    return stages, None if court is None else Session(stages.pipeline, court)


def _file(path: Path, stages: Stages, session: Session | None, *, as_json: bool) -> bool:
    """Code one file; False when it was refused."""
    from extractors.pages import Refused
    from server.jobs.children import Failure

    try:
        body = path.read_bytes()
        if as_json:
            decided = session.decided if session else None
            sys.stdout.write(stages.run("bundle", [body, None, _now(), decided]).decode() + "\n")
        else:
            document = stages.pipeline.read(body, cache=stages.cache)
            _table(path, document, (session or stages.pipeline).code(stages.pipeline.find(document), document))
    except (Failure, Refused) as refusal:
        note(f"error: {path.name}: {refusal.text}")
        return False
    except OSError as error:
        note(f"error: {path.name}: {error.strerror}")
        return False
    return True


def _now() -> str:
    """This moment as a FHIR instant."""
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
    if coded.gaps:
        asked = [[gap.asks, gap.cites, " ".join(document.text[gap.start : gap.end].split())] for gap in coded.gaps]
        print_table(("The text does not say", "Guideline", "Words"), asked)


def _page(document: Document, start: int) -> str:
    return next((str(page.number) for page in document.pages if page.start <= start < page.end), "")
