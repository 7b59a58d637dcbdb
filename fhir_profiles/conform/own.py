"""The definitions that ship with the package, as a source: ours, and the two profiles of R4 that its types lean on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from fhir_profiles import json
from fhir_profiles.conform.rules import Constraint, ElementRule, Profile, read_profile
from fhir_profiles.conform.snapshot import with_snapshot
from fhir_profiles.definitions import FHIR_VERSION, load
from fhir_profiles.systems import CURRENCY, STRUCTURE_DEFINITION

Json = dict[str, Any]

_MONEY = f"(code.exists() or value.empty()) and (system.empty() or system = '{CURRENCY}')"
_OF_R4 = tuple(
    Profile(STRUCTURE_DEFINITION + name, FHIR_VERSION, name, "Quantity", STRUCTURE_DEFINITION + "Quantity", True, rules)
    for name, rules in (
        ("SimpleQuantity", (ElementRule((("comparator", ""),), maximum=0),)),
        (
            "MoneyQuantity",
            (ElementRule((), constraints=(Constraint("mtqy-1", "error", _MONEY, "Money has a currency code"),)),),
        ),
    )
)
"""Quantities that R4 itself narrows."""


@cache
def own_resources() -> tuple[Json, ...]:
    """Every definition of ours: profiles with their snapshots, extensions, code systems and value sets."""
    found = [json.decode(f.read_bytes()) for f in (files("fhir_profiles") / "profiles").iterdir()]
    return tuple(sorted(map(with_snapshot, found), key=lambda r: (r["resourceType"], r["id"])))


class Own:
    """What ships, as a source of profiles and of the resources beside them."""

    def profiles(self, url: str) -> Sequence[Profile]:
        """The profile of that URL, if it is one of ours or a resource type of R4 itself."""
        found = _own_profiles().get(url) or _type_of_r4(url)
        return [found] if found else []

    def resources(self, resource_type: str, url: str) -> Sequence[Json]:
        """The definition of that URL, if it is one of ours."""
        return [r for r in own_resources() if r["resourceType"] == resource_type and r["url"] == url]

    def types(self) -> Iterator[tuple[str, str]]:
        """The type and canonical of each profile of ours."""
        return ((p.type, p.canonical) for p in _own_profiles().values() if p not in _OF_R4)


@lru_cache(maxsize=1_024)
def _type_of_r4(url: str) -> Profile | None:
    """A resource type as the profile that asks nothing beyond it."""
    name = url.removeprefix(STRUCTURE_DEFINITION)
    return Profile(url, FHIR_VERSION, name, name, "", False, ()) if name in load().resource_types else None


@cache
def _own_profiles() -> dict[str, Profile]:
    own = (read_profile(r, "own") for r in own_resources() if r["resourceType"] == "StructureDefinition")
    return {p.url: p for p in (*own, *_OF_R4) if p}
