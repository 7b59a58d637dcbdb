"""A tree of places in a resource, made into functions over its JSON (https://hl7.org/fhir/R4/json.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fhir_profiles.extract import measures, values
from fhir_profiles.extract.leaves import INTEGERS, QUANTITIES, STRINGS, URIS, Hop
from fhir_profiles.extract.rows import Index
from fhir_profiles.extract.values import Emit

Always = Callable[[Mapping[str, Any], Index], None]


@dataclass(slots=True)
class Node:
    """A place in the tree of a type: what to run on the value there, and what lies below."""

    emits: list[Emit] = field(default_factory=list)
    below: dict[Hop, Node] = field(default_factory=dict)

    def at(self, hops: tuple[Hop, ...]) -> Node:
        """The node at the end of the moves."""
        node = self
        for hop in hops:
            node = node.below.setdefault(hop, Node())
        return node


def compiled(root: Node) -> dict[str, tuple[Emit, ...]]:
    """What to run for each property."""
    return {hop.name: tuple(_items(hop, _visits(node))) for hop, node in root.below.items()}


# From tree to functions


def _visits(node: Node) -> tuple[Emit, ...]:
    inner = [emit for hop, child in node.below.items() for emit in _step(hop, _visits(child))]
    return (*node.emits, *inner)


def _step(hop: Hop, emits: tuple[Emit, ...]) -> Iterator[Emit]:
    """The functions that make one move below the top level and go on."""
    if hop.kind == "where":
        yield partial(_where, hop.name, hop.value, emits)
    else:
        yield partial(_into, hop.name, tuple(_items(hop, emits)))


def _items(hop: Hop, emits: tuple[Emit, ...]) -> Iterator[Emit]:
    if hop.kind == "first":
        yield lambda value, index: _each(emits, value[:1], index)
    elif hop.many:
        yield partial(_each, emits)
    else:
        yield from emits


def _each(emits: tuple[Emit, ...], value: list[Any], index: Index) -> None:
    for item in value:
        if item is not None:
            for emit in emits:
                emit(item, index)


def _into(name: str, emits: tuple[Emit, ...], value: Mapping[str, Any], index: Index) -> None:
    inner = value.get(name)
    if inner is not None:
        for emit in emits:
            emit(inner, index)


def _where(name: str, wanted: str, emits: tuple[Emit, ...], value: Mapping[str, Any], index: Index) -> None:
    if value.get(name) == wanted:
        for emit in emits:
            emit(value, index)


# From type to maker

_FAMILIES: Mapping[str, tuple[tuple[frozenset[str], Callable[..., Emit]], ...]] = {
    "token": (
        (STRINGS | URIS | INTEGERS | {"boolean", "date", "dateTime"}, values.code),
        (frozenset({"Coding"}), values.coding),
        (frozenset({"CodeableConcept"}), values.concept),
        (frozenset({"Identifier"}), values.identifier),
        (frozenset({"ContactPoint"}), values.contact),
    ),
    "string": (
        (STRINGS, values.text),
        (frozenset({"HumanName"}), partial(values.parts, names=values.HUMAN_NAME)),
        (frozenset({"Address"}), partial(values.parts, names=values.ADDRESS)),
    ),
    "date": (
        (frozenset({"date", "dateTime", "instant"}), values.moment),
        (frozenset({"Period"}), values.period),
        (frozenset({"Timing"}), values.timing),
    ),
    "reference": (
        (frozenset({"Reference"}), values.reference),
        (URIS, values.canonical),
        (frozenset({"Resource"}), values.inline),
    ),
    "number": (
        (INTEGERS | {"decimal"}, measures.number),
        (frozenset({"Range"}), measures.number_range),
    ),
    "quantity": (
        (QUANTITIES, measures.quantity),
        (frozenset({"Money"}), measures.money),
        (frozenset({"Range"}), measures.quantity_range),
    ),
    "uri": ((URIS, values.uri),),
}


def maker(
    search_type: str,
    leaf_type: str,
    codes: tuple[tuple[str, str | None], ...],
    system: str | None,
    types: frozenset[str],
) -> Emit:
    """The function that reads an element of a type for the parameters that share it."""
    make = next(make for types, make in _FAMILIES[search_type] if leaf_type in types)
    if make is values.reference:
        return make(codes, types)
    plain = tuple(dict.fromkeys(c for c, _ in codes))
    return make(plain, system) if make is values.code else make(plain)
