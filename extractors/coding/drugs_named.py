"""Drugs that the words near a place name, and their codes in T36-T50 (the Table of Drugs and Chemicals)."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from extractors.coding.case import Case
from extractors.coding.tables import table
from fhir_profiles.systems import RXNORM

DRUGS = tuple(f"T{number}" for number in range(36, 51))
_WORD = re.compile(r"[a-z][a-z0-9-]+")


class Drug(NamedTuple):
    """A drug that a text names: where, its class, and the stem of its poisoning codes (T36-T50)."""

    start: int
    end: int
    group: str
    stem: str


def drug_in(case: Case, start: int, reach: int) -> Drug | None:
    """The first drug named within reach; None where it has no codes of poisoning, too."""
    window = re.split(r"[.;\n]", case.text[start : start + reach])[0]
    names = _exactly()
    for word in _WORD.finditer(window):
        if word[0] in names:
            return _drug(start + word.start(), word[0], "")
        for entry in case.lexicon.entries(word[0]):
            if entry.system == RXNORM:
                group = case.lexicon.drug_class(entry.code, word[0])
                if group:
                    return _drug(start + word.start(), word[0], group)
    return None


def _drug(start: int, name: str, group: str) -> Drug | None:
    stem = _stem(group, name)
    return None if stem is None else Drug(start, start + len(name), group, stem)


def _stem(group: str, name: str) -> str | None:
    """The stem by its name, else by its class."""
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
