"""The bindings of R4 to value sets that cannot be listed, answered for validation (https://hl7.org/fhir/R4/valueset.html)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from fhir_profiles.systems import ALL_LANGUAGES, CURRENCIES, MEDIA_TYPES, TIME_ZONE_SET, UNITS
from terminology.value_sets import Members, ValueSets

KEPT = 4096  # answers for each set

Contains = Callable[[str | None, str], bool | None]


def open_bindings() -> dict[str, Contains]:
    """Value set → whether a code is in it. Nothing is read before the first question."""
    return {url: _contains(url) for url in (ALL_LANGUAGES, CURRENCIES, MEDIA_TYPES, TIME_ZONE_SET, UNITS)}


def _contains(url: str) -> Contains:
    @lru_cache(maxsize=KEPT)
    def contains(system: str | None, code: str) -> bool | None:
        return _members(url).contains(system, code)

    return contains


@cache
def _members(url: str) -> Members:
    found = ValueSets().members(url)
    if found is None:
        raise LookupError(f"The core has no value set {url}")
    return found
