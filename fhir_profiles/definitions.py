"""The compiled R4 4.0.1 definitions as frozen values (https://hl7.org/fhir/R4/structuredefinition.html)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal

import msgspec

from fhir_profiles.systems import STRUCTURE_DEFINITION

FHIR_VERSION = "4.0.1"

Kind = Literal["resource", "complex-type", "primitive-type", "BackboneElement", "Element"]
SearchType = Literal["token", "string", "date", "reference", "quantity", "number", "uri", "composite", "special"]

_CHOICE, _MODIFIER, _SUMMARY, _LENIENT = 1, 2, 4, 8


class Binding(msgspec.Struct, frozen=True, array_like=True):
    """A value set and how strongly an element is bound to it."""

    strength: Literal["required", "extensible", "preferred", "example"]
    value_set: str


class Invariant(msgspec.Struct, frozen=True, array_like=True):
    """A FHIRPath rule on a type or element."""

    key: str
    severity: Literal["error", "warning"]
    expression: str


class Element(msgspec.Struct, frozen=True, array_like=True):
    """One element of a type. `maximum` -1 means no limit; `types` may name a backbone path like `Claim.item`."""

    name: str
    minimum: int
    maximum: int
    types: tuple[str, ...]
    targets: tuple[str, ...]
    binding: Binding | None
    flags: int
    invariants: tuple[Invariant, ...]

    @property
    def many(self) -> bool:
        """Whether the element is a JSON array."""
        return self.maximum != 1

    @property
    def choice(self) -> bool:
        """Whether the element is a `[x]`."""
        return bool(self.flags & _CHOICE)

    @property
    def modifier(self) -> bool:
        """Whether the element changes the meaning of its parent."""
        return bool(self.flags & _MODIFIER)

    @property
    def summary(self) -> bool:
        """Whether `_summary=true` keeps the element."""
        return bool(self.flags & _SUMMARY)

    @property
    def lenient(self) -> bool:
        """Whether HL7's own published examples break the rules of the element, so that breaking them only warns."""
        return bool(self.flags & _LENIENT)

    def properties(self) -> dict[str, str]:
        """JSON property → type: one for a plain element, one for each type of a choice."""
        if not self.choice:
            return {self.name: self.types[0]}
        return {self.name + t[0].upper() + t[1:]: t for t in self.types}


class Type(msgspec.Struct, frozen=True, dict=True):
    """A resource, datatype, primitive or backbone element (named by its path)."""

    kind: Kind
    base: str
    abstract: bool
    elements: tuple[Element, ...]
    invariants: tuple[Invariant, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Element]:
        """Elements by name, a choice without its `[x]`."""
        return {e.name: e for e in self.elements}

    @cached_property
    def by_key(self) -> Mapping[str, tuple[Element, str]]:
        """JSON property → its element and type."""
        return {key: (e, t) for e in self.elements for key, t in e.properties().items()}


class Component(msgspec.Struct, frozen=True, array_like=True):
    """One side of a composite search parameter."""

    code: str
    expression: str


class SearchParam(msgspec.Struct, frozen=True, array_like=True):
    """A search parameter; `expression` is the union over all its bases."""

    code: str
    type: SearchType
    base: tuple[str, ...]
    expression: str
    targets: tuple[str, ...]
    components: tuple[Component, ...]
    url: str


class _Table(msgspec.Struct, frozen=True, rename="camel"):
    types: dict[str, Type]
    value_sets: dict[str, dict[str, frozenset[str]]]
    search_parameters: tuple[SearchParam, ...]
    compartments: dict[str, dict[str, tuple[str, ...]]]


class Definitions:
    """The whole of R4 as the server needs it."""

    def __init__(self, table: _Table) -> None:
        self.types: Mapping[str, Type] = table.types
        self.value_sets: Mapping[str, Mapping[str, frozenset[str]]] = table.value_sets
        self.resource_types: tuple[str, ...] = tuple(
            sorted(n for n, t in table.types.items() if t.kind == "resource" and not t.abstract)
        )
        self._compartments = table.compartments
        self._by_base: dict[str, dict[str, SearchParam]] = {}
        for parameter in table.search_parameters:
            for base in parameter.base:
                self._by_base.setdefault(base, {})[parameter.code] = parameter
        self._search: dict[str, dict[str, SearchParam]] = {}

    def search_params(self, resource_type: str) -> Mapping[str, SearchParam]:
        """Code → parameter for a type, with those of Resource and DomainResource; KeyError for an unknown type."""
        if resource_type not in self._search:
            chain, name = [], resource_type
            while name:
                chain.append(name)
                name = self.types[name].base
            found: dict[str, SearchParam] = {}
            for base in reversed(chain):
                found.update(self._by_base.get(base, {}))
            self._search[resource_type] = found
        return self._search[resource_type]

    def compartment(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Resource type → search parameters that put it in the compartment (`Patient`, `Encounter`, `Device`, …)."""
        return self._compartments[name]

    def profile(self, resource_type: str) -> str:
        """The canonical URL of the type's own definition."""
        return f"{STRUCTURE_DEFINITION}{resource_type}"

    def codes(self, value_set: str) -> frozenset[str]:
        """Every code of an enumerable value set whatever its system; empty when it is not enumerable."""
        return frozenset().union(*self.value_sets.get(value_set, {}).values())


@cache
def load() -> Definitions:
    """The definitions, read once per process (about 30 ms of CPU)."""
    raw = files("fhir_profiles").joinpath("data/r4.json.z").read_bytes()
    return Definitions(msgspec.json.decode(zlib.decompress(raw), type=_Table))
