"""Checks of an element in its owner: how many values, each value, and its slices (https://hl7.org/fhir/R4/profiling.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fhir_profiles.conform.items import Item, collector
from fhir_profiles.conform.run import Run
from fhir_profiles.conform.slicing import slicing_check
from fhir_profiles.conform.tree import Node
from fhir_profiles.conform.values import Check, value_check
from fhir_profiles.definitions import load

OwnerCheck = Callable[[dict[str, Any], str, Run], None]


def element_check(node: Node, label: str) -> OwnerCheck | None:
    """Everything that a node asks of an element, as a check of the object that owns it; None when it asks nothing."""
    element = node.element
    if element is None:
        raise ValueError("the root of a profile is a value, not an element")
    value = value_check(node, label, element_check)
    slices = slicing_check(node, label, element_check) if node.slices or node.slicing else None
    minimum = node.minimum if node.minimum > element.minimum else 0
    maximum = node.maximum if node.maximum != -1 and node.maximum != element.maximum else None
    supported = node.must_support
    if value is None and slices is None and not minimum and maximum is None and not supported:
        return None
    collect = collector(element)
    name = element.name
    few = f"{label}: {name} is needed" + (f" {minimum} times; there are fewer." if minimum > 1 else "; it is missing.")
    many = f"{label}: {name} must not be given." if maximum == 0 else f"{label}: {name} may be given {maximum} times."

    def check(owner: dict[str, Any], place: str, run: Run) -> None:
        items = collect(owner, place)
        count = len(items)
        if count < minimum:
            run.add("error", "required", few, f"{place}.{name}")
        elif maximum is not None and count > maximum:
            run.add("error", "structure", many, f"{place}.{name}")
        if not count and supported and run.must_support:
            run.add("information", "informational", f"{label}: {name} is must-support and absent.", f"{place}.{name}")
        if value is not None:
            for item in items:
                value(item, run)
        if slices is not None:
            slices(items, f"{place}.{name}", run)

    return check


def root_check(root: Node, label: str) -> Check:
    """The check of a whole profile on a resource, an extension or another value of its type."""
    found = value_check(root, label, element_check)
    types = load().types
    own = root.types[0]
    fitting = frozenset(name for name in types if own in _with_bases(name))
    wrong = f"{label} is a profile of {own}, and this is of another type."

    def check(item: Item, run: Run) -> None:
        if item[2] not in fitting:
            run.add("error", "structure", wrong, item[3])
        elif found is not None:
            found(item, run)

    return check


def _with_bases(name: str) -> Iterator[str]:
    """A type and what it specializes."""
    types = load().types
    while name in types:
        yield name
        name = types[name].base
