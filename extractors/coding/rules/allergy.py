"""What a patient is said or listed to be allergic to is a status, by substance (Z88, Z91.0)."""

from __future__ import annotations

import re
from functools import cache

from extractors.coding.case import Case, Rule
from extractors.coding.clauses import bounds
from extractors.coding.tables import table
from extractors.model import Finding

LISTED = Rule("allergy-listed", "I.C.21.c.3", "A drug, food or material of the allergy list is a status")
_SAID = re.compile(r"\ballerg(?:ic|y|ies) to (?:(?:[\w-]+ ){1,3}(?:and|or) |[\w-]+, )*$")
_HAPPENS = re.compile(r"\b(?:reaction|today|after|developed|took|started|given|taking|caused|no longer)\b")


def allergies_listed(case: Case) -> None:
    """A status code for each substance of an allergy list, or that the patient is said to be allergic to.

    What is no known drug and not in the table has none.
    """
    for number, finding in enumerate(case.findings.items):
        if finding.kind != "allergy" or not finding.assertion.present:
            continue
        if finding.section != "allergies" and not _is_said(case, finding):
            continue
        status = _status(case, finding)
        new = (
            case.add(status, finding.start, finding.end, LISTED, "It is listed as an allergy", finding=number)
            if status
            else None
        )
        if new is not None:
            new.rank = max(new.rank, 7)


def _is_said(case: Case, finding: Finding) -> bool:
    """True of "allergic to codeine"; an allergic reaction of today is no status."""
    low, high = bounds(case.text, finding.start, finding.end)
    return bool(_SAID.search(case.text, low, finding.start)) and not _HAPPENS.search(case.text, low, high)


def _status(case: Case, finding: Finding) -> str | None:
    said = str(finding.attributes.get("substance") or "").lower()
    names = (said, str(finding.attributes.get("ingredient") or "").lower())
    for beginning, status in _beginnings():
        if any(name.startswith(beginning) for name in names):
            return status
    if "rxnorm" not in finding.attributes:
        return None
    known = case.lexicon.drug_class(str(finding.attributes["rxnorm"]), said)
    code: str = table("allergies")["classes"].get(known, table("allergies")["drug"])
    return code


@cache
def _beginnings() -> tuple[tuple[str, str], ...]:
    """(Beginning of a name, code), the longest first."""
    rows = [(name, code) for code, names in table("allergies")["names"] for name in names]
    return tuple(sorted(rows, key=lambda row: -len(row[0])))


RULES = (allergies_listed,)
