"""`fhirwright demo`: an invented fax in, coded FHIR, a page with the evidence drawn on it and a priced claim out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.exits import Exit
from server.cli.terminal import console, note, print_json

if TYPE_CHECKING:
    from rich.progress import Progress

    from server.demo.priced import Priced


def demo(
    data: Annotated[Path, typer.Option(help="Data directory; the terminology is built there once.")] = Path("var"),
    out: Annotated[Path | None, typer.Option(help="Folder for the fax and the drawn pages. [DATA/demo]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON instead of tables.")] = False,
) -> None:
    """Code a generated fax on a server of its own, show the result, and price its claim by an invented fee schedule.

    The schedule is made up for the demo and goes into a data directory of its own (OUT/invented): nothing else is
    priced by it.
    """
    from server.demo.annotate import annotate
    from server.demo.fax import fax
    from server.demo.priced import price
    from server.demo.server import DemoError
    from server.demo.show import scrubbed
    from server.demo.table import rows

    folder = out or data / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    letter = fax()
    (folder / "fax.tif").write_bytes(letter)
    try:
        resources = _code(letter, data, folder)
    except DemoError as error:
        note(f"error: {error}")
        raise typer.Exit(Exit.FAILED) from None
    found = rows(resources)
    pages = annotate(letter, found, folder)
    priced = price(resources, data, folder)
    if json:
        answer = next((r for r in resources if r["resourceType"] == "ClaimResponse"), None)
        shown = {"rows": found, "pages": [str(page) for page in pages], "claim": answer and scrubbed(answer)}
        print_json({**shown, "priced": priced and priced.brief()})
    else:
        _show(resources, pages, priced)


def _code(letter: bytes, data: Path, folder: Path) -> list[dict[str, Any]]:
    """Start the server, submit the letter, follow its Task; the resources it yielded."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from server.demo.server import running

    columns = (SpinnerColumn(), BarColumn(24), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(), transient=False) as progress:
        start = progress.add_task("Starting the server", total=1)
        with running(
            data,
            folder / "demo.db",
            folder / "server.log",
            lambda line: progress.update(start, description=_tell(line)),
        ) as base:
            progress.update(start, description=f"Server ready at {base}", completed=1)
            return _follow(base, letter, progress)


def _tell(line: str) -> str:
    return f"Starting the server  {line[:60]}"


def _follow(base: str, letter: bytes, progress: Progress) -> list[dict[str, Any]]:
    """Submit and follow; one bar that fills stage by stage."""
    from server.demo.client import Client
    from server.demo.server import DemoError
    from server.demo.show import STAGES, stage_of

    client = Client(base)
    bar = progress.add_task("Sending the fax", total=len(STAGES))
    task: dict[str, Any] = {}
    for task in client.follow(client.submit(letter, "image/tiff", "Faxed clinic letter")):
        reached, text = stage_of(task)
        progress.update(bar, completed=reached, description=text)
    if task.get("status") != "completed":
        raise DemoError(f"The Task ended {task.get('status')}: {task.get('statusReason', {}).get('text', 'no reason')}")
    found = client.results(task)
    progress.update(bar, description="Checking the draft Claim")
    answer = client.scrub(found)
    progress.update(bar, description="Coded and checked")
    return [*found, answer] if answer else found


def _show(resources: list[dict[str, Any]], pages: list[Path], priced: Priced | None) -> None:
    """Tables on stdout, then where the pages are, then how the claim is priced by the invented schedule."""
    from rich.console import Console

    from server.demo.show import price_of, summary, tables
    from server.demo.table import claimed, rows

    out = Console(highlight=False)
    out.print(tables(rows(resources), claimed(resources)))
    summary(out, resources)
    for page in pages:
        out.print(f"Evidence drawn on the page: {page}", soft_wrap=True)
    if priced is not None:
        price_of(out, priced)
