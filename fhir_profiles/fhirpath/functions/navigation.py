"""Moving through the tree, and types (http://hl7.org/fhirpath/N1/#tree-navigation, #types)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_profiles.fhirpath.context import Context, Items, Step, single
from fhir_profiles.fhirpath.errors import PathError
from fhir_profiles.fhirpath.functions.table import argument, table
from fhir_profiles.fhirpath.operators import text
from fhir_profiles.fhirpath.types import TYPE_INFO, Type, children, every_child, system_type
from fhir_profiles.fhirpath.values import Node
from fhir_profiles.references import target_type


def _children(context: Context, focus: Items) -> Items:
    found = [child for item in focus if isinstance(item, Node) for child in every_child(item)]
    context.spend(len(found) + 1)
    return found


def _descendants(context: Context, focus: Items) -> Items:
    found: Items = []
    level = _children(context, focus)
    while level:
        found += level
        level = _children(context, level)
    return found


def _is(type_: Type) -> Step:
    def test(_context: Context, focus: Items) -> Items:
        item = single(focus)
        return [] if item is None else [type_.holds(item)]

    return test


def _as(type_: Type) -> Step:
    def cast(_context: Context, focus: Items) -> Items:
        item = single(focus)
        return [item] if item is not None and type_.selects(item) else []

    return cast


def _of_type(type_: Type) -> Step:
    return lambda _context, focus: [item for item in focus if type_.selects(item)]


TYPED: dict[str, Callable[[Type], Step]] = {"is": _is, "as": _as, "ofType": _of_type}
"""The functions whose argument is a type."""


def _type(_context: Context, focus: Items) -> Items:
    return [_type_info(item) for item in focus]


def _type_info(item: Any) -> Node:
    namespace, name = ("FHIR", item.type) if isinstance(item, Node) else ("System", system_type(item))
    if namespace == "FHIR" and "." in name:
        name = "BackboneElement"
    return Node({"namespace": namespace, "name": name}, TYPE_INFO)


def _extension(context: Context, focus: Items, url: Step) -> Items:
    wanted = text(argument(context, url))
    if wanted is None:
        return []
    context.spend(len(focus))
    return [
        extension
        for item in focus
        if isinstance(item, Node)
        for extension in children(item, "extension")
        if extension.value.get("url") == wanted
    ]


def _resolve(context: Context, focus: Items) -> Items:
    found = []
    for item in focus:
        written = _reference(item)
        target = None if written is None else _target(context, written)
        if target is not None:
            found.append(target)
    return found


def _reference(item: Any) -> str | None:
    value = item.value if isinstance(item, Node) else item
    if type(value) is dict:
        value = value.get("reference")
    return value if type(value) is str else None


def _target(context: Context, written: str) -> Node | None:
    """What a reference leads to; without a resolver, an empty resource of the type that it names."""
    if written.startswith("#"):
        return _contained(context, written[1:])
    if context.resolve is not None:
        context.spend(100)
        found = context.resolve(written)
        return None if found is None else Node(found, found["resourceType"])
    from fhir_profiles.definitions import load

    named = target_type(written, load())
    return Node({"resourceType": named}, named) if named else None


def _contained(context: Context, name: str) -> Node | None:
    root = context.root.value
    if not name:
        return context.root
    for one in root.get("contained", ()) if type(root) is dict else ():
        if one.get("id") == name:
            return Node(one, str(one.get("resourceType")))
    return None


def _element_definition(_context: Context, _focus: Items) -> Items:
    raise PathError("elementDefinition() and slice() need a profile and are not known here.", "not-supported")


FUNCTIONS = table(
    children=_children,
    descendants=_descendants,
    type=_type,
    extension=_extension,
    resolve=_resolve,
    elementDefinition=_element_definition,
    slice=lambda context, focus, _structure, _name: _element_definition(context, focus),
)
