"""Enumerate the value sets of required bindings at build time (https://hl7.org/fhir/R4/valueset.html#expansion)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]
Codes = dict[str, list[str]]


class Expander:
    """Expands value sets over the code systems that are whole in the published definitions."""

    def __init__(self, resources: Iterable[Json]) -> None:
        self._sets: dict[str, Json] = {}
        self._systems: dict[str, Json] = {}
        for resource in resources:
            into = self._sets if resource["resourceType"] == "ValueSet" else self._systems
            into[resource["url"]] = resource

    def expand(self, url: str) -> Codes:
        """System → sorted codes; empty when the set cannot be enumerated (UCUM, media types, currencies, LOINC)."""
        codes = self._expand(url)
        return {} if codes is None else {s: sorted(c) for s, c in sorted(codes.items())}

    def _expand(self, url: str) -> dict[str, set[str]] | None:
        compose = self._sets.get(url.partition("|")[0], {}).get("compose")
        if compose is None:
            return None
        found: dict[str, set[str]] = {}
        for include in compose["include"]:
            part = self._include(include)
            if part is None:
                return None
            for system, codes in part.items():
                found.setdefault(system, set()).update(codes)
        for exclude in compose.get("exclude", []):
            for system, codes in (self._include(exclude) or {}).items():
                found.get(system, set()).difference_update(codes)
        return found

    def _include(self, include: Json) -> dict[str, set[str]] | None:
        if include.get("filter"):
            return None
        if "system" not in include:
            nested = [self._expand(u) for u in include["valueSet"]]
            return nested[0] if len(nested) == 1 else None
        if include.get("concept"):
            return {include["system"]: {c["code"] for c in include["concept"]}}
        system = self._systems.get(include["system"])
        if system is None or system.get("content") != "complete":
            return None
        return {include["system"]: set(_codes(system.get("concept", [])))}


def _codes(concepts: list[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", []))
