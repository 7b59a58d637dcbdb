"""`fhirwright search`: find codes by what a person says."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.exits import Exit
from server.cli.terminal import building, note, print_json, print_table
from server.settings import read_settings

if TYPE_CHECKING:
    from terminology import Terminology
    from terminology.search.context import Context
    from terminology.search.find import Found, Hit

MOST = 1_000
COLUMNS = ("code", "", "title", "where")
KINDS = {
    "includes": "Includes",
    "excludes1": "Excludes1",
    "excludes2": "Excludes2",
    "code-first": "Code first",
    "use-additional": "Use additional code",
    "code-also": "Code also",
    "seventh-character": "7th character",
    "note": "Note",
}
"""Kinds of notes as the book calls them."""


def search(
    words: Annotated[
        list[str], typer.Argument(help="[SYSTEM] WORDS: icd10cm, loinc, cpt … (icd10cm by default), then what to find.")
    ],
    count: Annotated[int, typer.Option(help="Codes to show.", min=1, max=MOST)] = 10,
    billable: Annotated[bool, typer.Option("--billable", help="Only codes that may be billed.")] = False,
    under: Annotated[str | None, typer.Option(help="Only codes below this one, for example E11.")] = None,
    on: Annotated[str | None, typer.Option(help="Date of service, YYYY-MM-DD: in the edition of that day.")] = None,
    version: Annotated[str | None, typer.Option(help="The edition to search, for example 2026-04.")] = None,
    notes: Annotated[
        bool, typer.Option("--notes", help="Tell includes, excludes, code first, use additional, 7th character.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Find codes by what a person says, best first. Exit code 1 when nothing is found.

    Words come in any order and the last may be unfinished. Lay terms and abbreviations are understood, misspelled words
    are corrected and told, and a code may be typed without its dot, in lower case, in part or as a range. Examples:

    fhirwright search "sugar diabetes kidney"; fhirwright search dm2 neuropathy --billable;
    fhirwright search kidney --under E11 --notes; fhirwright search s72.0; fhirwright search loinc hba1c
    """
    from terminology import ensure_terminology
    from terminology.search.context import context

    day = _date(on)
    terminology = ensure_terminology(read_settings(data=data).data, building())
    system, text = _asked(terminology, words)
    if terminology.edition(system, day, version) is None:
        raise typer.BadParameter("There is no such edition: `fhirwright load --list` tells what is loaded.")
    if under is not None and terminology.lookup(system, under, version, day) is None:
        raise typer.BadParameter("The code after --under is not in the edition.")
    found = terminology.search(system, text, count=count, billable=billable, under=under, version=version, on=day)
    contexts = [context(terminology, system, hit.concept.code, version, day, notes=notes) for hit in found]
    if json:
        print_json(_answer(system, found, contexts))
    else:
        _show(found, contexts)
    if not found.total:
        raise typer.Exit(Exit.FAILED)


def _asked(terminology: Terminology, words: list[str]) -> tuple[str, str]:
    """The system and the text: the first word names the system where it is the name of one and others follow."""
    first = terminology.system(words[0])
    if len(words) > 1 and first in terminology.systems:
        return first, " ".join(words[1:])
    return terminology.system("icd10cm"), " ".join(words)


def _show(found: Found, contexts: list[Context]) -> None:
    for wrong, right in found.corrected.items():
        note(f"searched for {right} instead of {wrong}")
    if found.left_out:
        note(f"nothing has all of it, this is the nearest; left out: {', '.join(found.left_out)}")
    if not found.total:
        note("nothing found")
        return
    rows = [_row(hit, place) for hit, place in zip(found, contexts, strict=True)]
    shown = [i for i in range(len(COLUMNS)) if any(row[i] for row in rows)]
    print_table([COLUMNS[i] for i in shown], [[row[i] for i in shown] for row in rows])
    if any(hit.concept.billable for hit in found):
        note("$ may be billed")
    if found.total > len(found):
        note(f"{len(found)} of {found.total:,}; --count shows more")


def _row(hit: Hit, place: Context) -> tuple[str, str, str, str]:
    concept = hit.concept
    title = concept.display if concept.active else f"{concept.display} (retired)"
    if hit.name.casefold() != concept.display.casefold():
        title += f"\n= {hit.name}"
    headings = {c.code for c in place.path if c.group}  # whose notes are long and mostly about other codes
    for kind, told in KINDS.items():
        texts = [n.text for n in place.notes if n.kind == kind and n.at not in headings]
        if texts:
            title += f"\n{told}{'' if texts[0].startswith(',') else ': '}{'; '.join(texts)}"
    return concept.code, "$" if concept.billable else "", title, _where(place)


def _where(place: Context) -> str:
    """The block with its title, then the codes down to the parent."""
    block = next((c for c in reversed(place.path) if c.group), None)
    codes = [c.code for c in place.path if not c.group]
    if block is None:
        return " › ".join(codes)
    title = block.display.removesuffix(f" ({block.code})")
    return " › ".join([title if title == block.display else f"{block.code} {title}", *codes])


def _answer(system: str, found: Found, contexts: list[Context]) -> dict[str, Any]:
    return {
        "system": system,
        "total": found.total,
        "corrected": found.corrected,
        "leftOut": list(found.left_out),
        "hits": [
            {
                "code": hit.concept.code,
                "display": hit.concept.display,
                "version": hit.concept.version,
                "billable": hit.concept.billable,
                "active": hit.concept.active,
                "name": hit.name,
                "why": hit.why.value,
                "path": [{"code": c.code, "display": c.display} for c in place.path],
                **(
                    {"notes": [{"kind": n.kind, "text": n.text, "at": n.at} for n in place.notes]}
                    if place.notes
                    else {}
                ),
            }
            for hit, place in zip(found, contexts, strict=True)
        ],
    }


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter("--on is a date such as 2026-04-15.") from None
