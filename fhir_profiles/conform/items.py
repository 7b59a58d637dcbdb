"""The values of an element in an owner's JSON, and those at a path below (https://hl7.org/fhir/R4/json.html).

An item is (value, `_` sibling, FHIR type, place): what every check of a value gets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from fhir_profiles.conform.run import Run
from fhir_profiles.definitions import Element, load
from fhir_profiles.primitives import PREDICATES

Item = tuple[Any, Any, str, str]
Collect = Callable[[dict[str, Any], str], list[Item]]

_NOTHING: dict[str, Any] = {}
_STEP = re.compile(r"(?P<name>\$?[A-Za-z_]\w*(?:\[x\])?)(?:\((?P<argument>[^)]*)\))?(?:\.|$)")

Step = tuple[str, str | None]


def steps_of(path: str) -> tuple[Step, ...] | None:
    """A discriminator's path as (name, argument of a function or None); None when it is not of the allowed form."""
    found, at = [], 0
    for match in _STEP.finditer(path):
        if match.start() != at:
            return None
        at = match.end()
        argument = match["argument"]
        if match["name"] != "$this":
            found.append((match["name"].removesuffix("[x]"), None if argument is None else argument.strip("'\" ")))
    return tuple(found) if at == len(path) else None


def owner_of(item: Item) -> dict[str, Any]:
    """The JSON object that holds what is below an item: of a primitive its `_` sibling."""
    value, shadow, _, _ = item
    if type(value) is dict:
        return value
    return shadow if type(shadow) is dict else _NOTHING


def collector(element: Element) -> Collect:
    """A function that finds the element's items in its owner, whose place it is given."""
    name, properties = element.name, tuple(element.properties().items())
    if element.many:
        key, of = properties[0]
        return _primitives(name, key, of) if of in PREDICATES else _objects(name, key, of)
    if len(properties) == 1:
        key, of = properties[0]
        return _one_primitive(name, key, of) if of in PREDICATES else _one_object(name, key, of)

    def collect(owner: dict[str, Any], place: str) -> list[Item]:
        for key, of in properties:
            if key in owner or f"_{key}" in owner:
                return [(owner.get(key), owner.get(f"_{key}"), of, f"{place}.{name}")]
        return []

    return collect


def _one_object(name: str, key: str, of: str) -> Collect:
    def collect(owner: dict[str, Any], place: str) -> list[Item]:
        value = owner.get(key)
        if value is None:
            return []
        return [(value, None, value["resourceType"] if of == "Resource" else of, f"{place}.{name}")]

    return collect


def _one_primitive(name: str, key: str, of: str) -> Collect:
    shadow = f"_{key}"

    def collect(owner: dict[str, Any], place: str) -> list[Item]:
        if key in owner or shadow in owner:
            return [(owner.get(key), owner.get(shadow), of, f"{place}.{name}")]
        return []

    return collect


def _objects(name: str, key: str, of: str) -> Collect:
    def collect(owner: dict[str, Any], place: str) -> list[Item]:
        values = owner.get(key, ())
        if of == "Resource":
            return [(v, None, v["resourceType"], f"{place}.{name}[{i}]") for i, v in enumerate(values)]
        return [(v, None, of, f"{place}.{name}[{i}]") for i, v in enumerate(values)]

    return collect


def _primitives(name: str, key: str, of: str) -> Collect:
    def collect(owner: dict[str, Any], place: str) -> list[Item]:
        values, shadows = owner.get(key, ()), owner.get(f"_{key}", ())
        return [
            (
                values[i] if i < len(values) else None,
                shadows[i] if i < len(shadows) else None,
                of,
                f"{place}.{name}[{i}]",
            )
            for i in range(max(len(values), len(shadows)))
        ]

    return collect


def at_path(item: Item, steps: tuple[Step, ...], run: Run) -> list[Item] | None:
    """The items at a path below one; None when a reference on the way cannot be resolved."""
    items = [item]
    for step in steps:
        found: list[Item] = []
        for one in items:
            below = _below(one, step, run)
            if below is None:
                return None
            found += below
        items = found
    return items


def _below(item: Item, step: Step, run: Run) -> list[Item] | None:
    name, argument = step
    if name == "resolve":
        target = referred(item[0], run)
        return None if target is None else [(target, None, target["resourceType"], item[3])]
    if name == "ofType":
        return [item] if item[2] == argument else []
    type_ = load().types.get(item[2])
    element = type_.by_name.get(name) if type_ else None
    if element is None:
        return []
    found = collector(element)(owner_of(item), item[3])
    return [i for i in found if i[0].get("url") == argument] if argument is not None else found


def referred(reference: Any, run: Run) -> dict[str, Any] | None:
    """The resource that a Reference leads to, in `contained` or beside; None when it is not at hand."""
    written = reference.get("reference") if type(reference) is dict else None
    if type(written) is not str:
        return None
    if written == "#":
        return run.resource
    if written[:1] == "#":
        return next((c for c in _contained(run.resource) if c.get("id") == written[1:]), None)
    return run.resolve(written) if run.resolve else None


def _contained(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    contained: list[dict[str, Any]] = resource.get("contained", [])
    yield from contained
