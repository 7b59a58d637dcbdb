"""Composite parameters: values that stand together in one element (https://hl7.org/fhir/R4/search.html#composite).

A row holds one value of each part. Parameters that read the same element share its rows: `combo-code-value-quantity`
finds what `code-value-quantity` and `component-code-value-quantity` find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from itertools import product
from typing import Any

import msgspec

from fhir_profiles.definitions import Component, Definitions, SearchParam, load
from fhir_profiles.extract import paths
from fhir_profiles.extract.leaves import SEARCHED, Hop, Leaf, walk
from fhir_profiles.extract.rows import Index, Part
from fhir_profiles.extract.tree import Always, Node, compiled, maker
from fhir_profiles.extract.values import Emit

_RESOURCE = "%resource."


class Form(msgspec.Struct, frozen=True):
    """The element that holds the values together, and where each part is in it."""

    side: str
    parts: tuple[tuple[str, str], ...]


def forms(resource_type: str, parameter: SearchParam, params: Mapping[str, SearchParam]) -> list[Form]:
    """The forms of a composite parameter: one for each side of its expression that is of the type."""
    parts = tuple((part.expression, params[part.code].type) for part in parameter.components)
    sides = [side for side in paths.alternatives(parameter.expression) if side.partition(".")[0] == resource_type]
    return [Form(side, parts) for side in sides]


@cache
def parts_of(resource_type: str, code: str) -> tuple[SearchParam, ...]:
    """The parameters by whose rules the parts of a composite are read, in order.

    R4 names the two of DocumentReference.relationship the wrong way round: each takes the one that fits.
    """
    definitions = load()
    params = definitions.search_params(resource_type)
    named = [params[component.code] for component in params[code].components]
    focus = _focus(resource_type, forms(resource_type, params[code], params)[0])
    found = []
    for component, parameter in zip(params[code].components, named, strict=True):
        types = {leaf.type for leaf in _leaves(definitions, resource_type, focus.type, component)}
        fitting = [one for one in (parameter, *named) if types & SEARCHED[one.type]]
        found.append(fitting[0])
    return tuple(found)


def _focus(resource_type: str, form: Form) -> Leaf:
    """The element that a form looks at."""
    steps = paths.parse(form.side)[1:]
    return next(walk(load(), resource_type, steps, ())) if steps else Leaf((), resource_type)


def _leaves(d: Definitions, resource_type: str, focus: str, component: Component) -> Iterator[Leaf]:
    """Where a part is read, in the element or in the resource."""
    whole = component.expression.startswith(_RESOURCE)
    for side in paths.alternatives(component.expression.removeprefix(_RESOURCE).replace("DateTime", "dateTime")):
        yield from walk(d, resource_type if whole else focus, paths.parse(side), ())


@cache
def _names(resource_type: str) -> Mapping[Form, str]:
    """Under which parameter's name the rows of a form stand: that of the most particular one."""
    params = load().search_params(resource_type)
    found: dict[Form, str] = {}
    ranked = sorted(
        (p for p in params.values() if p.type == "composite"), key=lambda p: len(forms(resource_type, p, params))
    )
    for parameter in ranked:
        for form in forms(resource_type, parameter, params):
            found.setdefault(form, parameter.code)
    return found


def names(resource_type: str, code: str) -> tuple[str, ...]:
    """The names under which the rows stand that a composite parameter searches."""
    params = load().search_params(resource_type)
    by_form = _names(resource_type)
    return tuple(dict.fromkeys(by_form[form] for form in forms(resource_type, params[code], params)))


def composites(resource_type: str, params: Mapping[str, SearchParam]) -> Iterator[Always]:
    """A function for each form that the composite parameters of a type have."""
    if not any(parameter.type == "composite" for parameter in params.values()):
        return
    definitions = load()
    for form, name in _names(resource_type).items():
        focus = _focus(resource_type, form)
        parts = [
            _part(definitions, resource_type, focus.type, component, parameter.type)
            for component, parameter in zip(params[name].components, parts_of(resource_type, name), strict=True)
        ]
        yield partial(_emit, name, focus.hops, tuple(parts))


def _part(
    d: Definitions, resource_type: str, focus: str, component: Component, kind: str
) -> tuple[bool, Mapping[str, tuple[Emit, ...]]]:
    """Whether a part is read from the resource instead of the element, and the functions by property."""
    root = Node()
    types = frozenset(d.resource_types)
    for leaf in _leaves(d, resource_type, focus, component):
        if leaf.type in SEARCHED[kind]:
            root.at(leaf.hops).emits.append(maker(kind, leaf.type, (("", None),), leaf.system, types))
    return component.expression.startswith(_RESOURCE), compiled(root)


def _emit(
    name: str,
    hops: tuple[Hop, ...],
    parts: tuple[tuple[bool, Mapping[str, tuple[Emit, ...]]], ...],
    resource: Mapping[str, Any],
    index: Index,
) -> None:
    for element in _elements(resource, hops):
        found: list[list[Part]] = []
        for whole, by_key in reversed(parts):  # the value before the code: it is the one that may be absent
            rows = _rows(resource if whole else element, by_key)
            if not rows:
                break
            found.append(rows)
        else:
            index.composites.extend((name, together) for together in product(*reversed(found)))


def _elements(value: Any, hops: tuple[Hop, ...]) -> Iterator[Any]:
    if not hops:
        yield value
        return
    inner = value.get(hops[0].name)
    if inner is not None:
        for item in inner if hops[0].many else (inner,):
            if item is not None:
                yield from _elements(item, hops[1:])


def _rows(element: Mapping[str, Any], by_key: Mapping[str, tuple[Emit, ...]]) -> list[Part]:
    index = None
    for key, emits in by_key.items():
        value = element.get(key)
        if value is not None:
            index = index or Index()
            for emit in emits:
                emit(value, index)
    if index is None:
        return []
    return [*index.tokens, *index.strings, *index.dates, *index.references, *index.quantities, *index.numbers]
