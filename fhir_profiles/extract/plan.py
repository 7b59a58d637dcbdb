"""Compile the search parameters of a type into functions over its JSON (https://hl7.org/fhir/R4/searchparameter.html).

A plan is a tree in the shape of the resource: only elements that are present cost anything, and parameters that read
the same element share one visit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from fhir_profiles.definitions import SearchParam, load
from fhir_profiles.extract import values
from fhir_profiles.extract.composite import composites
from fhir_profiles.extract.leaves import SHOWN, Hop, leaves, place_of
from fhir_profiles.extract.rows import Index
from fhir_profiles.extract.tree import Always, Node, compiled, maker
from fhir_profiles.extract.values import Emit

NOT_INDEXED = {"_id", "_text", "_content", "_query"}
"""`_id` is the resource's own key; full text has words of its own; `_query` names an operation."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run for each top-level property that is present, and what to run in any case."""

    by_key: Mapping[str, tuple[Emit, ...]]
    always: tuple[Always, ...]


@cache
def plan_for(resource_type: str) -> Plan:
    """The plan of a resource type; KeyError for a type that R4 does not have."""
    return plan_of(resource_type, load().search_params(resource_type))


def plan_of(resource_type: str, params: Mapping[str, SearchParam]) -> Plan:
    """The plan of some parameters of a type."""
    definitions = load()
    groups: dict[tuple[str, tuple[Hop, ...], str, str | None], list[tuple[str, str | None]]] = {}
    always: list[Always] = []
    shown: dict[tuple[Hop, ...], None] = {}
    for code, parameter in params.items():
        if code in NOT_INDEXED:
            continue
        for leaf in leaves(definitions, resource_type, parameter):
            if leaf.type in SHOWN:
                shown[leaf.hops] = None
            if leaf.type == "Truth":
                always.append(partial(_truth, code, tuple(h.name for h in leaf.hops)))
                continue
            group = groups.setdefault((parameter.type, leaf.hops, leaf.type, leaf.system), [])
            if (code, leaf.target) not in group:
                group.append((code, leaf.target))
    root = Node()
    types = frozenset(definitions.resource_types)
    for (search_type, hops, leaf_type, system), codes in groups.items():
        root.at(hops).emits.append(maker(search_type, leaf_type, tuple(codes), system, types))
    for hops in shown:
        root.at(hops).emits.append(values.shown(place_of(hops)))
    if params.get("near") is not None:  # the only special parameter that reads an element
        root.at((Hop("key", "position"),)).emits.append(values.position("near"))
    return Plan(compiled(root), (*always, *composites(resource_type, params)))


def _truth(code: str, names: tuple[str, ...], resource: Mapping[str, Any], index: Index) -> None:
    there = any(resource.get(name) not in (None, False) for name in names)
    index.tokens.append((code, None, "true" if there else "false"))
