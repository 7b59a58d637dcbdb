"""Where in a resource a search parameter reads: its path followed through the types (https://hl7.org/fhir/R4/searchparameter.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fhir_profiles.definitions import Definitions, Element, SearchParam, load
from fhir_profiles.extract import paths
from fhir_profiles.extract.paths import Unsupported


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


STRINGS = frozenset({"string", "markdown", "code", "id"})
URIS = frozenset({"uri", "url", "canonical", "oid", "uuid"})
QUANTITIES = frozenset({"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"})
INTEGERS = frozenset({"integer", "positiveInt", "unsignedInt"})
SHOWN = frozenset({"Coding", "CodeableConcept", "Identifier", "Reference"})
SEARCHED: Mapping[str, frozenset[str]] = {
    "token": STRINGS
    | URIS
    | INTEGERS
    | {"boolean", "date", "dateTime", "Coding", "CodeableConcept", "Identifier", "ContactPoint"},
    "string": STRINGS | {"HumanName", "Address"},
    "date": frozenset({"date", "dateTime", "instant", "Period", "Timing"}),
    "reference": URIS | {"Reference", "Resource"},
    "number": INTEGERS | {"decimal", "Range"},
    "quantity": QUANTITIES | {"Money", "Range"},
    "uri": URIS,
}
"""The types of element that each type of parameter can read."""

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


def leaves(definitions: Definitions, resource_type: str, parameter: SearchParam) -> Iterator[Leaf]:
    """Every place in `resource_type` that the parameter reads; Unsupported when R4 has no rule for the type there."""
    if parameter.type in ("composite", "special"):
        return
    bases = ancestry(definitions, resource_type)
    for side in paths.alternatives(parameter.expression):
        first, *rest = paths.parse(side)
        if isinstance(first, paths.Field) and first.name[0].islower():
            rest = [first, *rest]
        elif not isinstance(first, paths.Field) or first.name not in bases:
            continue
        for leaf in walk(definitions, resource_type, tuple(rest), ()):
            if (parameter.type, leaf.type) in _SKIPPED:
                continue
            if leaf.type != "Truth" and leaf.type not in SEARCHED[parameter.type]:
                raise Unsupported(f"{parameter.type} over {leaf.type}")
            yield leaf


def walk(d: Definitions, at: str, steps: tuple[paths.Step, ...], hops: tuple[Hop, ...]) -> Iterator[Leaf]:
    """Follow the steps from type `at`, fanning out over the types of choices."""
    match steps:
        case (paths.Field(name), paths.Truth()):
            element = _element(d, at, name)
            yield Leaf(tuple(Hop("key", key) for key in element.properties()), "Truth")
        case (paths.Field(name), *rest):
            element = _element(d, at, name)
            for key, type_ in element.properties().items():
                if rest and isinstance(rest[0], paths.Cast) and rest[0].type not in ancestry(d, type_):
                    continue
                hop = Hop("key", key, many=element.many)
                after = tuple(rest[1:] if rest and isinstance(rest[0], paths.Cast) else rest)
                if element.choice and after and not _goes_on(d, type_, after[0]):
                    continue
                if after:
                    yield from walk(d, type_, after, (*hops, hop))
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
        yield from walk(d, at, rest, hops)
    else:
        yield Leaf(hops, at)


def ancestry(d: Definitions, name: str) -> set[str]:
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


def _goes_on(d: Definitions, at: str, step: paths.Step) -> bool:
    """Whether a type of a choice has what the path names next; the others are passed over."""
    return not isinstance(step, paths.Field) or step.name in d.types[at].by_name


def _implied_system(d: Definitions, element: Element) -> str | None:
    if element.binding is None or element.binding.strength != "required":
        return None
    systems = d.value_sets.get(element.binding.value_set, {})
    return next(iter(systems)) if len(systems) == 1 else None


def place_of(hops: tuple[Hop, ...]) -> str:
    """The name of a place in a resource: `component.code`."""
    return ".".join(f"{hop.name}={hop.value}" if hop.kind == "where" else hop.name for hop in hops)


def places(resource_type: str, parameter: SearchParam) -> tuple[str, ...]:
    """Where the texts are that a person reads of the parameter's values."""
    found = leaves(load(), resource_type, parameter)
    return tuple(dict.fromkeys(place_of(leaf.hops) for leaf in found if leaf.type in SHOWN))
