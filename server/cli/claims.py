"""`fhirwright claims`: a file of claims through edits and prices, and the rules that claims are held to."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.claims_x12 import register
from server.cli.exits import Exit
from server.cli.terminal import console, note, print_json, print_table
from server.settings import read_settings

if TYPE_CHECKING:
    from claims.rules.rule import Rule

claims = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@claims.callback()
def about() -> None:
    """Hold claims to the edits of payers, and price them.

    fhirwright claims run CLAIMS.ndjson --out DIR; fhirwright claims rules --list
    """


register(claims)


@claims.command()
def run(
    file: Annotated[Path, typer.Argument(help="Claims, or Bundles that begin with one, one JSON object a line.")],
    out: Annotated[Path, typer.Option(help="Folder for findings, prices, answers and what was rejected.")],
    rules: Annotated[Path | None, typer.Option(help="Rules of your own (TOML), beside those that ship.")] = None,
    on: Annotated[str | None, typer.Option(help="The day on which the claims came, YYYY-MM-DD. [today]")] = None,
    processes: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0 is one for each core.")] = 0,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Scrub and price a file of any size.

    DIR gets findings and prices as Parquet, a ClaimResponse for each claim as NDJSON, and the numbers of lines that are
    no claims. Run again after a kill it goes on where it was; the result is the same. Exit code 5: lines were rejected.
    """
    from rich.progress import Progress

    from claims.run.run import Job
    from claims.run.run import run as run_job

    for path in (file, rules):
        if path is not None and not path.is_file():
            raise typer.BadParameter(f"There is no file {path.name}.")
    day = _day(on, out)
    job = Job(file, out, read_settings(data=data).data, rules, day, processes or os.cpu_count() or 1)
    with Progress(console=console(), transient=True) as bar:
        task = bar.add_task("claims", total=None)
        counts = run_job(job, lambda done, total: bar.update(task, completed=done, total=total))
    shown = {name: getattr(counts, name) for name in counts.__struct_fields__}
    if json:
        print_json({**shown, "out": str(out)})
    else:
        note(f"{counts.claims} claims, {counts.clean} without errors; {counts.findings} findings.")
        note(f"{counts.priced} lines priced; {counts.rejected} lines of the file rejected.")
        note(f"Written to {out}; {out / 'summary.json'} tells which rules were not run.")
    if counts.rejected:
        raise typer.Exit(Exit.REFUSED)


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
    check: Annotated[Path | None, typer.Option(help="A file with rules of your own, to be checked.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Tell the rules that claims are held to, or check your own before you use them."""
    from claims.answer.scrub import Scrub
    from claims.rules.rule import own_rules, unique, user_rules

    if check is not None:
        if not check.is_file():
            raise typer.BadParameter(f"There is no file {check.name}.")
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
