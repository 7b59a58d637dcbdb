"""The official guidelines as rules: each with an id, a citation and a test; `apply` runs them in order.

ICD-10-CM Official Guidelines for Coding and Reporting, FY2026; sections are cited as I.C.4.a.
"""

from __future__ import annotations

from extractors.coding.case import Case
from extractors.coding.rules import (
    aftermath,
    combination,
    conflicts,
    drugs,
    encounter,
    infection,
    injury,
    pairs,
    procedures,
    site,
    status,
)

ORDER = (
    *infection.RULES,
    *site.RULES,
    *injury.RULES,
    *pairs.FIRST,
    *combination.RULES,
    *pairs.RULES,
    *drugs.RULES,
    *aftermath.RULES,
    *status.RULES,
    *encounter.RULES,
    *procedures.RULES,
    *conflicts.RULES,
)


def apply(case: Case) -> None:
    """Run every rule over the case."""
    for rule in ORDER:
        rule(case)
