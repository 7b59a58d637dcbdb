"""Compile the search parameters of a type into functions over its JSON (https://hl7.org/fhir/R4/searchparameter.html).

A plan is a tree in the shape of the resource: only elements that are present cost anything, and parameters that read
the same element share one visit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from fhir_profiles.definitions import Definitions, Element, SearchParam, load
from fhir_profiles.extract import paths, values
from fhir_profiles.extract.paths import Unsupported
from fhir_profiles.extract.rows import Index
from fhir_profiles.extract.values import Emit

Always = Callable[[Mapping[str, Any], Index], None]

NOT_INDEXED = {"_id", "_text", "_content", "_query"}
"""`_id` is the resource's own key; full text has no index; `_query` names an operation."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run for each top-level property that is present, and what to run in any case."""

    by_key: Mapping[str, tuple[Emit, ...]]
    always: tuple[Always, ...]


@dataclass(frozen=True, slots=True)
class Hop:
    """One move in the JSON: into a property, or past a filter (`where`, `extension`, `at`)."""

    kind: str
    name: str
    value: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where a path ends: the moves to it, the type there and the code system its binding implies."""

    hops: tuple[Hop, ...]
    type: str
    system: str | None = None
    target: str | None = None


@dataclass(slots=True)
class _Node:
    emits: list[Emit] = field(default_factory=list)
    below: dict[Hop, _Node] = field(default_factory=dict)


@cache
def plan_for(resource_type: str) -> Plan:
    """The plan of a resource type; KeyError for a type that R4 does not have."""
    definitions = load()
    groups: dict[tuple[str, tuple[Hop, ...], str, str | None], list[tuple[str, str | None]]] = {}
    always: list[Always] = []
    for code, parameter in definitions.search_params(resource_type).items():
        if code in NOT_INDEXED:
            continue
        for leaf in leaves(definitions, resource_type, parameter):
            if leaf.type == "Truth":
                always.append(partial(_truth, code, tuple(h.name for h in leaf.hops)))
                continue
            group = groups.setdefault((parameter.type, leaf.hops, leaf.type, leaf.system), [])
            if (code, leaf.target) not in group:
                group.append((code, leaf.target))
    root = _Node()
    types = frozenset(definitions.resource_types)
    for (search_type, hops, leaf_type, system), codes in groups.items():
        node = root
        for hop in hops:
            node = node.below.setdefault(hop, _Node())
        node.emits.append(_maker(search_type, leaf_type, tuple(codes), system, types))
    by_key = {hop.name: tuple(_items(hop, _visits(node))) for hop, node in root.below.items()}
    return Plan(by_key, tuple(always))


def leaves(definitions: Definitions, resource_type: str, parameter: SearchParam) -> Iterator[Leaf]:
    """Every place in `resource_type` that the parameter reads; Unsupported when R4 has no rule for the type there."""
    if parameter.type in ("composite", "special"):
        return
    ancestry = _ancestry(definitions, resource_type)
    for side in paths.alternatives(parameter.expression):
        first, *rest = paths.parse(side)
        if isinstance(first, paths.Field) and first.name[0].islower():
            rest = [first, *rest]
        elif not isinstance(first, paths.Field) or first.name not in ancestry:
            continue
        for leaf in _walk(definitions, resource_type, tuple(rest), ()):
            if (parameter.type, leaf.type) in _SKIPPED:
                continue
            if leaf.type != "Truth":
                _family(parameter.type, leaf.type)
            yield leaf


def _walk(d: Definitions, at: str, steps: tuple[paths.Step, ...], hops: tuple[Hop, ...]) -> Iterator[Leaf]:
    """Follow the steps from type `at`, fanning out over the types of choices."""
    match steps:
        case (paths.Field(name), paths.Truth()):
            element = _element(d, at, name)
            yield Leaf(tuple(Hop("key", key) for key in element.properties()), "Truth")
        case (paths.Field(name), *rest):
            element = _element(d, at, name)
            for key, type_ in element.properties().items():
                if rest and isinstance(rest[0], paths.Cast) and rest[0].type not in _ancestry(d, type_):
                    continue
                hop = Hop("key", key, many=element.many)
                after = tuple(rest[1:] if rest and isinstance(rest[0], paths.Cast) else rest)
                if after:
                    yield from _walk(d, type_, after, (*hops, hop))
                else:
                    yield Leaf((*hops, hop), type_, _implied_system(d, element) if type_ == "code" else None)
        case (paths.Resolves(target),):
            yield Leaf(hops, at, target=target)
        case (paths.Where(field_, value), *rest):
            yield from _ahead(d, at, tuple(rest), (*hops, Hop("where", field_, value)))
        case (paths.Extension(url), *rest):
            moves = (Hop("key", "extension", many=True), Hop("where", "url", url))
            yield from _ahead(d, "Extension", tuple(rest), (*hops, *moves))
        case (paths.At(n), *rest) if hops and n == 0:
            first = Hop("first", hops[-1].name)
            yield from _ahead(d, at, tuple(rest), (*hops[:-1], first))
        case _:
            raise Unsupported(f"{at}: {steps}")


def _ahead(d: Definitions, at: str, rest: tuple[paths.Step, ...], hops: tuple[Hop, ...]) -> Iterator[Leaf]:
    if rest:
        yield from _walk(d, at, rest, hops)
    else:
        yield Leaf(hops, at)


def _ancestry(d: Definitions, name: str) -> set[str]:
    """The type and the types it specialises: a canonical is a uri, an Age a Quantity."""
    found = set()
    while name:
        found.add(name)
        name = d.types[name].base
    return found


def _element(d: Definitions, at: str, name: str) -> Element:
    try:
        return d.types[at].by_name[name]
    except KeyError:
        raise Unsupported(f"{at} has no {name}") from None


def _implied_system(d: Definitions, element: Element) -> str | None:
    if element.binding is None or element.binding.strength != "required":
        return None
    systems = d.value_sets.get(element.binding.value_set, {})
    return next(iter(systems)) if len(systems) == 1 else None


# From tree to functions


def _visits(node: _Node) -> tuple[Emit, ...]:
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


def _truth(code: str, names: tuple[str, ...], resource: Mapping[str, Any], index: Index) -> None:
    there = any(resource.get(name) not in (None, False) for name in names)
    index.tokens.append((code, None, "true" if there else "false"))


# From type to maker

_STRINGS = frozenset({"string", "markdown", "code", "id"})
_URIS = frozenset({"uri", "url", "canonical", "oid", "uuid"})
_QUANTITIES = frozenset({"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"})
_SKIPPED = frozenset(
    {
        ("quantity", "SampledData"),
        ("date", "string"),
        ("date", "Age"),
        ("date", "Range"),
        ("reference", "Attachment"),
    }
)
"""What a choice may hold that its parameter cannot compare."""

_FAMILIES: Mapping[str, tuple[tuple[frozenset[str], Callable[..., Emit]], ...]] = {
    "token": (
        (_STRINGS | _URIS | {"boolean", "integer", "positiveInt", "unsignedInt", "date", "dateTime"}, values.code),
        (frozenset({"Coding"}), values.coding),
        (frozenset({"CodeableConcept"}), values.concept),
        (frozenset({"Identifier"}), values.identifier),
        (frozenset({"ContactPoint"}), values.contact),
    ),
    "string": (
        (_STRINGS, values.text),
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
        (_URIS, values.canonical),
        (frozenset({"Resource"}), values.inline),
    ),
    "number": (
        (frozenset({"integer", "positiveInt", "unsignedInt", "decimal"}), values.number),
        (frozenset({"Range"}), values.number_range),
    ),
    "quantity": (
        (_QUANTITIES, values.quantity),
        (frozenset({"Money"}), values.money),
        (frozenset({"Range"}), values.quantity_range),
    ),
    "uri": ((_URIS, values.uri),),
}


def _family(search_type: str, leaf_type: str) -> Callable[..., Emit]:
    for types, make in _FAMILIES[search_type]:
        if leaf_type in types:
            return make
    raise Unsupported(f"{search_type} over {leaf_type}")


def _maker(
    search_type: str,
    leaf_type: str,
    codes: tuple[tuple[str, str | None], ...],
    system: str | None,
    types: frozenset[str],
) -> Emit:
    make = _family(search_type, leaf_type)
    if make is values.reference:
        return make(codes, types)
    plain = tuple(dict.fromkeys(c for c, _ in codes))
    return make(plain, system) if make is values.code else make(plain)
