"""`fhirwright claims explain`: one claim, its edits in plain words and how the price of each line came about."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.exits import Exit
from server.cli.places import FILE, STREAM
from server.cli.terminal import note, print_json
from server.settings import read_settings

if TYPE_CHECKING:
    from claims.answer.explanation import Explanation, Line

LONGEST = 8 * 2**20


def register(group: typer.Typer) -> None:
    """Add the command to `fhirwright claims`."""
    group.command("explain")(explain)


def explain(
    file: Annotated[
        Path,
        typer.Argument(**STREAM, help="A Claim, or a Bundle that begins with one, as JSON; - is stdin."),
    ],
    line: Annotated[int | None, typer.Option(min=1, help="Tell of the line with this number alone.")] = None,
    rules: Annotated[
        Path | None, typer.Option(**FILE, help="Rules of your own (TOML), beside those that ship.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="The day on which the claim came, YYYY-MM-DD. [today]")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Tell in plain words what a payer would reject of one claim, what to do, and how each price came about.

    An edit (✗ error, ! warning, i information) is told with its rule, the element that it is about (FHIRPath) and what
    to do. A price is told step by step from relative values to cents, with the releases of the tables that it rests
    on; a line without a price says why, and what would help.

    \b
    fhirwright claims explain CLAIM.json
    fhirwright claims explain CLAIM.json --line 2
    curl -s $FHIR/Claim/ID | fhirwright claims explain - --json

    What the claim refers to is looked for within the file: give a Bundle, or contained resources. Earlier claims are
    not looked up. Exit code 0 whatever the edits say; 5: the file is no claim.
    """
    from claims.answer.explanation import explanation
    from claims.answer.head import read_head
    from claims.answer.scrub import Scrub
    from claims.sheet.read import read_claim
    from fhir_profiles.errors import FhirError

    day = _day(on)
    body = _read(file)
    try:
        record, head = read_claim(body, received=day), read_head(body)
    except FhirError as error:
        for problem in error.problems:
            note(problem.text)
        raise typer.Exit(Exit.REFUSED) from None
    numbers = {one["seq"] for one in record["lines"]}
    if line is not None and line not in numbers:
        raise typer.BadParameter("The claim has no line of this number.")
    told = explanation(Scrub.open(read_settings(data=data).data, rules), record, head)
    if json:
        print_json(_one_line(asdict(told), line))
    else:
        tell(told, line)


def _one_line(told: dict[str, object], line: int | None) -> dict[str, object]:
    if line is None:
        return told
    parts = {name: [one for one in told[name] if one["line"] == line] for name in ("findings", "lines")}  # type: ignore[attr-defined]
    return {**told, **parts}


def tell(told: Explanation, line: int | None = None) -> None:
    """The same for people, on stdout."""
    marks = {"error": "✗", "warning": "!", "information": "i"}
    shown = [one for one in told.findings if line is None or one.line == line]
    for one in shown:
        typer.echo(f"{marks[one.severity]} {one.rule}  {one.says}.")
        typer.echo(f"      where: {one.where}")
        typer.echo(f"      do:    {one.do}.")
    if not shown:
        typer.echo("No edit that was run finds anything.")
    for repair in told.repairs if line is None else ():
        typer.echo(f"Repaired before the edits: {repair}")
    for item in told.lines:
        if line is None or item.line == line:
            tell_line(item)
    if line is None and told.expected is not None:
        typer.echo(f"Expected under the fee schedule: ${told.expected}, not the decision of a payer.")
    if told.rests:
        typer.echo("Prices rest on " + ", ".join(f"{name} {release}" for name, release in told.rests.items()) + ".")
    if told.not_run:
        note(f"{told.not_run} rules were not run for want of tables: {', '.join(told.lacking)}.")


def tell_line(item: Line) -> None:
    """A line with the steps to its price, or why there is none."""
    name = " ".join((item.code or "no code", *item.modifiers))
    units = "" if item.units is None else f", {item.units:g} unit{'' if item.units == 1 else 's'}"
    charged = "no charge" if item.charged is None else f"charged ${item.charged}"
    allowed = "" if item.allowed is None else f", expected ${item.allowed}"
    typer.echo(f"Line {item.line}: {name}{units}, {charged}{allowed}")
    for step in item.steps:
        typer.echo(f"      {step}")
    if item.do:
        typer.echo(f"      do:    {item.do}.")


def _read(file: Path) -> bytes:
    if str(file) == "-":
        body = sys.stdin.buffer.read(LONGEST + 1)
    else:
        with file.open("rb") as source:
            body = source.read(LONGEST + 1)
    if len(body) > LONGEST:
        note(f"A claim has at most {LONGEST >> 20} MiB; give many to fhirwright claims run.")
        raise typer.Exit(Exit.REFUSED)
    return body


def _day(on: str | None) -> int:
    """Days since 1970."""
    try:
        day = date.fromisoformat(on) if on else date.today()
    except ValueError:
        raise typer.BadParameter("A date is written as 2026-10-01.") from None
    return (day - date(1970, 1, 1)).days
