"""Filters and implied value sets that single code systems define for themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_profiles.systems import LOINC, RXNORM
from terminology.value_sets import loinc, rxnorm
from terminology.value_sets.chosen import Chosen
from terminology.value_sets.loaded import Loaded
from terminology.value_sets.systems import System

_SELECTIONS: dict[str, Callable[[Loaded, str, str, str], Chosen | None]] = {
    LOINC: loinc.selection,
    RXNORM: rxnorm.selection,
}


def selection(system: System | None, name: str, op: str, value: str) -> Chosen | None:
    """What a filter of its own selects of a code system loaded whole; None for a filter that is none of those."""
    if not isinstance(system, Loaded) or not system.complete:
        return None
    select = _SELECTIONS.get(system.file.edition.system)
    return None if select is None else select(system, name, op, value)


def implied(url: str, version: str, knows: Callable[[str], bool]) -> dict[str, Any] | None:
    """The value set that a URL stands for by the rules of its code system, where that is loaded."""
    found = loinc.implied(url, version)
    return found if found is not None and knows(LOINC) else None
