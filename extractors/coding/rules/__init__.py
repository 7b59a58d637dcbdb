"""The official guidelines as rules: each with an id, a citation and a test; `apply` runs them in order.

ICD-10-CM Official Guidelines for Coding and Reporting, FY2026; sections are cited as I.C.4.a.
"""

from __future__ import annotations

from extractors.coding.case import Case
from extractors.coding.rules import (
    aftermath,
    allergy,
    assessed,
    bone,
    care,
    combination,
    conflicts,
    debridement,
    devices,
    drugs,
    encounter,
    fluids,
    fractures,
    head,
    images,
    infection,
    injury,
    laboratory,
    lesions,
    modifiers,
    neoplasm,
    occurrence,
    operated,
    pairs,
    poison,
    pregnancy,
    procedures,
    questions,
    services,
    site,
    skin,
    specific,
    status,
    therapy,
    vaccines,
    worded,
)

ORDER = (
    *devices.FIRST,
    *infection.RULES,
    *site.RULES,
    *injury.RULES,
    *neoplasm.RULES,
    *worded.RULES,
    *operated.RULES,
    *bone.RULES,
    *pregnancy.RULES,
    *pairs.RULES,
    *combination.FIRST,
    *pairs.RULES,
    *specific.RULES,
    *injury.ULCERS,
    *pairs.FIRST,
    *combination.RULES,
    *pairs.RULES,
    *drugs.RULES,
    *aftermath.RULES,
    *poison.RULES,
    *head.RULES,
    *status.RULES,
    *allergy.RULES,
    *devices.LAST,
    *occurrence.RULES,
    *occurrence.LAST,
    *care.RULES,
    *encounter.RULES,
    *procedures.RULES,
    *services.RULES,
    *fluids.RULES,
    *images.RULES,
    *laboratory.RULES,
    *vaccines.RULES,
    *therapy.RULES,
    *skin.RULES,
    *lesions.RULES,
    *debridement.RULES,
    *fractures.RULES,
    *procedures.LAST,
    *modifiers.RULES,
    *conflicts.RULES,
    *assessed.RULES,
    *questions.RULES,
)


def apply(case: Case) -> None:
    """Run every rule over the case."""
    for rule in ORDER:
        rule(case)
