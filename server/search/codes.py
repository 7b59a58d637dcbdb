"""Codes that value sets and hierarchies name: `:in`, `:not-in`, `:below`, `:above` (https://hl7.org/fhir/R4/search.html#modifiers)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from terminology.value_sets.members import Members
from terminology.value_sets.value_sets import ValueSets

from .query import Condition, invalid, split_values, too_costly, unescape
from .view import View

MAX_CODES = 200_000
"""Codes of one value set that a search takes as a list; whole code systems need none."""

_BY_ID = "SELECT type, id, version, body FROM resource WHERE type = 'ValueSet' AND id = ? AND change <> 'D'"

Pair = tuple[str | None, str | None]


class Codes(msgspec.Struct, frozen=True):
    """The value sets that a search can name, by canonical URL or as `ValueSet/id` of the store that is searched."""

    value_sets: Callable[[], ValueSets]
    view: View

    def members(self, named: str) -> Members | None:
        """The members of a value set; None when it is not known."""
        kind, slash, name = named.partition("/")
        if not slash or kind != "ValueSet" or "/" in name:
            return self.value_sets().members(named)
        found = self.view.query(_BY_ID, (name,))
        return self.value_sets().members(json.decode(self.view.body(*found[0]))) if found else None


def pairs_of(condition: Condition, codes: Codes | None, base_url: str) -> list[Pair]:
    """What the values stand for, as (system, code); a code of None is the whole system."""
    if codes is None:
        raise FhirError.of(
            Category.UNAVAILABLE, "not-supported", "There is no terminology here to look the codes up in."
        )
    known = codes.value_sets()
    if condition.modifier in ("in", "not-in"):
        found = [pair for value in condition.values for pair in _members(codes, unescape(value), base_url)]
    else:
        found = [pair for value in condition.values for pair in _related(known, value, condition.modifier == "below")]
    return list(dict.fromkeys(found))


def _members(known: Codes, value: str, base_url: str) -> Iterable[Pair]:
    if base_url and value.startswith(f"{base_url}/"):
        value = value[len(base_url) + 1 :]
    members = known.members(value)
    if members is None:
        text = "The value set of :in or :not-in is not known here. Store it, or check its canonical URL and version."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text)
    whole = members.whole
    if members.unknown - whole:
        text = "The value set draws on a code system that is not loaded here, so its members are not known."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text)
    if members.systems == whole:
        return [(system, None) for system in sorted(whole)]
    listed = members.codes(MAX_CODES)
    if listed is None:
        raise too_costly(f"The value set has more than {MAX_CODES} codes or no end. Search by a smaller one.")
    return [*((system, None) for system in sorted(whole)), *(pair for pair in listed if pair[0] not in whole)]


def _related(known: ValueSets, value: str, below: bool) -> Iterable[Pair]:
    parts = [unescape(part) for part in split_values(value, "|")]
    if len(parts) != 2 or not all(parts):
        raise invalid("A value of :below and :above is written system|code.")
    system, code = parts
    found = known.below(system, code) if below else known.above(system, code)
    if found is None:
        text = "The code of :below or :above is not known here: its code system is not loaded, or has no such code."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text)
    return [(system, one) for one in sorted(found)]
