"""`fhirwright claims`: a file of claims through edits and prices, and the rules that claims are held to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from server.cli import claims_explain, claims_learn, claims_x12
from server.cli.exits import Exit
from server.cli.places import FILE, STREAM
from server.cli.terminal import console, note, print_json, print_table
from server.settings import read_settings

if TYPE_CHECKING:
    from claims.rules.rule import Rule
    from claims.run.job import Crew, Job

claims = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@claims.callback()
def about() -> None:
    """Hold claims to the edits of payers, and price them.

    fhirwright claims run CLAIMS.ndjson --out DIR; fhirwright claims rules --list
    """


claims_explain.register(claims)
claims_x12.register(claims)
claims_learn.register(claims)


@claims.command()
def run(
    file: Annotated[Path, typer.Argument(**STREAM, help="Claims, one JSON object on each line; may be packed (.gz).")],
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for findings, prices, answers and what was rejected.")
    ],
    rules: Annotated[
        Path | None, typer.Option(**FILE, help="Rules of your own (TOML), beside those that ship.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="The day on which the claims came, YYYY-MM-DD. [today]")] = None,
    responses: Annotated[bool, typer.Option(help="Write a ClaimResponse for each claim.")] = True,
    model: Annotated[Path | None, typer.Option(**FILE, help="A model of denials and charges; writes scores.")] = None,
    processes: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0 is one for each core.")] = 0,
    ray: Annotated[str | None, typer.Option(help="Work on the Ray cluster at this address: HOST:PORT or auto.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Progress on stderr and the summary on stdout as JSON.")] = False,
) -> None:
    """Scrub and price a file of any size.

    Each line is a Claim, or a Bundle that begins with one. DIR gets findings and prices as Parquet, a ClaimResponse for
    each claim as NDJSON, the numbers of lines that are no claims or that repeat an earlier one, and summary.json: what
    each rule found and how much money it is about.

    \b
    fhirwright claims run JULY.ndjson --out july
    fhirwright claims run JULY.ndjson.gz --out july --no-responses --processes 8
    fhirwright claims run JULY.ndjson --out july --ray auto

    Run again after a kill it goes on where it was; the result is the same to the byte. Exit code 5: lines were
    rejected.
    """
    from claims.run.job import Job
    from claims.run.run import run as run_job

    if str(file) == "-":
        text = "A run that can be gone on with after a kill needs a file: write stdin to one first."
        raise typer.BadParameter(text)
    settings, day = read_settings(data=data), _day(on, out)
    job = Job(file, out, settings.data, rules, day, processes or os.cpu_count() or 1, responses, model)
    with _progress(json) as told:
        counts = run_job(job, told, _crew(ray))
    if json:
        print_json({**orjson.loads((out / "summary.json").read_bytes()), "out": str(out)})
    else:
        note(f"{counts.claims} claims, {counts.clean} without errors; {counts.findings} findings.")
        for rule, found in counts.top()[:5]:
            note(f"  {rule}: {found.findings} in {found.claims} claims, about ${found.charged / 100:,.2f}")
        note(f"{counts.priced} lines priced; {counts.rejected} lines of the file rejected.")
        note(f"Written to {out}; {out / 'summary.json'} tells what each rule found and which rules were not run.")
    if counts.rejected:
        raise typer.Exit(Exit.REFUSED)


def _crew(ray: str | None) -> Callable[[Job], AbstractContextManager[Crew]]:
    """Those who work: processes of this machine, or a Ray cluster."""
    if ray is None:
        from claims.run.processes import Processes

        return Processes
    from server.bulk.claims_crew import ClaimsCrew

    return partial(ClaimsCrew, address=ray)


@contextmanager
def _progress(json: bool) -> Iterator[Callable[[int, int], None]]:
    """Who hears how far a run is: a bar for people, or a line of JSON at most once a second."""
    if json:
        last = 0.0

        def told(done: int, total: int) -> None:
            nonlocal last
            if done == total or time.monotonic() - last >= 1:
                last = time.monotonic()
                note(orjson.dumps({"bytes": done, "of": total}).decode())

        yield told
        return
    from rich.progress import Progress

    with Progress(console=console(), transient=True) as bar:
        task = bar.add_task("claims", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _day(on: str | None, out: Path) -> str:
    """The day that is given, else that of the run which is gone on with, else today."""
    from claims.run.run import begun

    try:
        return date.fromisoformat(on).isoformat() if on else begun(out) or date.today().isoformat()
    except ValueError:
        raise typer.BadParameter("A date is written as 2026-10-01.") from None


@claims.command()
def rules(
    list_: Annotated[bool, typer.Option("--list", help="Tell every rule, and whether it can be run.")] = False,
    check: Annotated[Path | None, typer.Option(**FILE, help="A file with rules of your own, to be checked.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Tell the rules that claims are held to, or check your own before you use them."""
    from claims.answer.scrub import Scrub
    from claims.rules.rule import own_rules, unique, user_rules

    if check is not None:
        mine = user_rules(check)
        unique([*own_rules(), *mine])
        if json:
            print_json({"rules": len(mine)})
        else:
            note(f"{len(mine)} rules can be read and stand beside ours.")
        return
    if not list_:
        raise typer.BadParameter("Say --list, or --check FILE.")
    edits = Scrub.open(read_settings(data=data).data).edits
    if json:
        print_json([_told(rule, edits.not_run.get(rule.id, ())) for rule in edits.rules])
        return
    rows = [(r.id, r.severity, r.scope, r.sentence, ", ".join(edits.not_run.get(r.id, ()))) for r in edits.rules]
    print_table(("rule", "severity", "scope", "what is wrong", "not run for want of"), rows)
    note(f"{len(edits.rules)} rules, {len(edits.active)} of them can be run.")


def _told(rule: Rule, missing: tuple[str, ...]) -> dict[str, object]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "scope": rule.scope,
        "sentence": rule.sentence,
        "element": rule.where(),
        "carc": rule.carc,
        "tables": sorted(rule.tables),
        "not_loaded": list(missing),
    }
