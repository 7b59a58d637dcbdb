"""Drugs that the words near a place name, and their codes in T36-T50 (the Table of Drugs and Chemicals)."""

from __future__ import annotations

import re
from functools import cache

from extractors.coding.case import Case
from extractors.coding.tables import table
from fhir_profiles.systems import RXNORM

DRUGS = tuple(f"T{number}" for number in range(36, 51))
_WORD = re.compile(r"[a-z][a-z0-9-]+")


def drug_in(case: Case, start: int, reach: int) -> tuple[int, int, str, str] | None:
    """The first drug named within reach: start, end, class, name."""
    window = re.split(r"[.;\n]", case.text[start : start + reach])[0]
    names = _exactly()
    for word in _WORD.finditer(window):
        if word[0] in names:
            return start + word.start(), start + word.end(), "", word[0]
        for entry in case.lexicon.entries(word[0]):
            if entry.system == RXNORM:
                group = case.lexicon.drug_class(entry.code, word[0])
                if group:
                    return start + word.start(), start + word.end(), group, word[0]
    return None


def stem(group: str, name: str) -> str | None:
    """The stem of a drug's poisoning codes (T36-T50), by its name, else by its class."""
    classes = table("drug_classes")
    for part, code in {**classes["names"], **classes["street"]}.items():
        if part in name:
            return str(code)
    found = classes["effects"].get(group)
    return str(found) if found else None


@cache
def _exactly() -> frozenset[str]:
    """Names that have a stem of their own; street drugs among them, which have no adverse effect and no underdosing."""
    classes = table("drug_classes")
    return frozenset(classes["names"]) | frozenset(classes["street"])
