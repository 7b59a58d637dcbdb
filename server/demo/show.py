"""The demo on the terminal: progress while it runs, then the coded letter as tables (https://hl7.org/fhir/R4/task.html)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from server.demo.annotate import COLOURS
from server.demo.priced import ADDED, Priced
from server.demo.table import Row

SHOWN = 6  # errors of a claim
STAGES = ("received", "pages", "findings", "codes", "emitted")


def stage_of(task: Mapping[str, Any]) -> tuple[int, str]:
    """How many of `STAGES` the Task has reached, and what it says about itself."""
    coding = task.get("businessStatus", {}).get("coding", [{}])[0]
    code = coding.get("code", "")
    return (STAGES.index(code) + 1 if code in STAGES else 0), coding.get("display", code)


def tables(rows: Sequence[Row], claim: Iterable[tuple[str, str]]) -> Group:
    """A table for each kind of resource; a dot marks what stands on the draft Claim."""
    claimed = set(claim)
    return Group(
        *(_table(kind, [row for row in rows if row.kind == kind], claimed) for kind in COLOURS if _has(rows, kind))
    )


def _has(rows: Iterable[Row], kind: str) -> bool:
    return any(row.kind == kind for row in rows)


def _table(kind: str, rows: Sequence[Row], claimed: set[tuple[str, str]]) -> Table:
    colour = "rgb({},{},{})".format(*COLOURS[kind][1])
    table = Table(title=kind, title_justify="left", title_style=f"bold {colour}", expand=True, border_style="dim")
    table.add_column("Code", no_wrap=True)
    table.add_column("Meaning", ratio=4)
    valued = any(row.value for row in rows)
    if valued:
        table.add_column("Value", ratio=2)
    table.add_column("Sure", justify="right", no_wrap=True)
    table.add_column("Page", justify="right", no_wrap=True)
    table.add_column("Words that prove it", ratio=5)
    for row in rows:
        mark = " ●" if (row.system, row.code) in claimed else ""
        sure = f"{row.confidence:.0%}" if row.confidence is not None else ""
        meaning = Text(row.meaning)
        if row.note:
            meaning.append(f" ({row.note})", style="yellow")
        value = [row.value] if valued else []
        table.add_row(f"{row.code}{mark}", meaning, *value, sure, row.pages, Text(row.words, style="italic"))
    return table


def summary(console: Console, resources: Sequence[Mapping[str, Any]]) -> None:
    """Who it is about and what else was stored, in a line or two."""
    patient: Mapping[str, Any] = next((r for r in resources if r["resourceType"] == "Patient"), {})
    name = (patient.get("name") or [{}])[0]
    mrn = (patient.get("identifier") or [{}])[0].get("value", "not printed")
    given = " ".join(name.get("given", ()))
    console.print(f"Patient {given} {name.get('family', '')}, born {patient.get('birthDate', '?')}, MRN {mrn}")
    claim = next((r for r in resources if r["resourceType"] == "Claim"), None)
    if claim:
        lines, diagnoses = len(claim.get("item", ())), len(claim.get("diagnosis", ()))
        console.print(f"Draft Claim with {diagnoses} diagnoses and {lines} services, marked ● above.")
    answer = next((r for r in resources if r["resourceType"] == "ClaimResponse"), None)
    if answer:
        _scrubbed(console, answer)


def scrubbed(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the edits say of the draft, and what it is worth or why nobody can tell: each sentence once."""
    judged = [said for item in answer.get("item", ()) for said in item["adjudication"]]
    totals = {total["category"]["coding"][0]["code"]: total["amount"]["value"] for total in answer.get("total", ())}
    return {
        "disposition": answer["disposition"],
        "errors": list(dict.fromkeys(error["code"]["text"] for error in answer.get("error", ()))),
        "notPriced": list(dict.fromkeys(said["reason"]["text"] for said in judged if "reason" in said)),
        "expected": totals.get("eligible"),
    }


def _scrubbed(console: Console, answer: Mapping[str, Any]) -> None:
    found = scrubbed(answer)
    console.print(f"Claim/$submit: {found['disposition']}")
    for text in found["errors"][:SHOWN]:
        console.print(f"  ✗ {text}")
    if len(found["errors"]) > SHOWN:
        console.print(f"  … and {len(found['errors']) - SHOWN} more")
    for text in found["notPriced"]:
        console.print(f"  not priced: {text}")
    if found["expected"] is not None:
        console.print(f"  expected under the fee schedule: {found['expected']:.2f} USD")


def price_of(console: Console, priced: Priced) -> None:
    """The claim over the invented schedule: what was loaded, what was added, and how each price came about."""
    told = priced.told
    console.print("\nThe same claim, priced by a fee schedule that is [bold]invented[/bold]: its amounts mean nothing.")
    loaded = ", ".join(f"{one.table} {one.rows}" for one in priced.tables)
    console.print(f"Loaded into {priced.data} by the importers of fhirwright load (rows): {loaded}.", soft_wrap=True)
    console.print(f"Added to the draft, as a biller would: {ADDED}.", soft_wrap=True)
    for line in told.lines:
        price = f"{line.allowed} USD" if line.allowed is not None else "no price"
        console.print(f"  Line {line.line}: {line.code}, charged {line.charged}, expected {price}", soft_wrap=True)
        for step in line.steps:
            console.print(f"      {step}", soft_wrap=True)
    errors = sum(one.severity == "error" for one in told.findings)
    console.print(f"  expected under the invented schedule: {told.expected} USD; {errors} errors are left.")
    again = f"fhirwright claims explain {priced.claim} --data {priced.data}"
    console.print(f"All of it, with what to do about each error: {again}", soft_wrap=True)
