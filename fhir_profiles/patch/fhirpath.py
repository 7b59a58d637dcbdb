"""FHIRPath Patch over a resource (https://hl7.org/fhir/R4/fhirpatch.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.fhirpath import Node, compile, node
from fhir_profiles.fhirpath.context import Context
from fhir_profiles.fhirpath.engine import step
from fhir_profiles.fhirpath.errors import PathError, TooCostly
from fhir_profiles.fhirpath.syntax import Member, Tree, parse
from fhir_profiles.fhirpath.types import every_child, primitives
from fhir_profiles.patch.content import Content, Refused, content
from fhir_profiles.patch.slot import Slot
from fhir_profiles.patch.values import copied

MAX_OPERATIONS = 1_000

Json = dict[str, Any]


def fhirpath_patch(resource: Json, parameters: Json) -> Json:
    """The resource after every operation of the Parameters; FhirError(INCORRECT) names the first that fails,
    and FhirError(UNSUPPORTED) one whose path takes too many steps.

    A value comes as `value[x]`, as `resource`, or as nested parts for an element that has no type of its own. A
    `delete` that finds nothing is done already; every other path must lead to exactly one place.
    """
    changed: Json = copied(resource)
    for i, operation in enumerate(_operations(parameters)):
        place = f"Parameters.parameter[{i}]"
        try:
            _apply(changed, operation)
        except Refused as refused:
            raise FhirError.of(Category.INCORRECT, refused.code, f"Operation {i}: {refused}", place) from None
        except PathError as wrong:
            problem = wrong.problems[0]
            category = Category.UNSUPPORTED if isinstance(wrong, TooCostly) else Category.INCORRECT
            raise FhirError.of(category, problem.code, f"Operation {i}: {problem.text}", place) from None
    return changed


def _operations(parameters: Json) -> list[Json]:
    given = parameters.get("parameter", []) if type(parameters) is dict else None
    if type(given) is not list or parameters.get("resourceType") != "Parameters":
        raise FhirError.of(Category.INCORRECT, "structure", "A FHIRPath Patch is a Parameters resource.")
    if len(given) > MAX_OPERATIONS:
        text = f"The patch has more than {MAX_OPERATIONS} operations. Send it in parts."
        raise FhirError.of(Category.INCORRECT, "too-long", text)
    for i, one in enumerate(given):
        if type(one) is not dict or one.get("name") != "operation" or type(one.get("part")) is not list:
            text = f"Operation {i}: each parameter is named operation and has parts."
            raise FhirError.of(Category.INCORRECT, "structure", text, f"Parameters.parameter[{i}]")
    return given


def _apply(resource: Json, operation: Json) -> None:
    parts: dict[str, Json] = {}
    for part in operation["part"]:
        name = part.get("name") if type(part) is dict else None
        if type(name) is not str or name in parts:
            raise Refused("each part has a name, and each name stands once.", "structure")
        parts[name] = part
    kind = _text(parts, "type")
    if kind not in _KINDS:
        raise Refused(f"the type must be one of {', '.join(_KINDS)}.", "structure")
    _KINDS[kind](resource, _text(parts, "path"), parts)


def _add(resource: Json, path: str, parts: Mapping[str, Json]) -> None:
    """The value as a new child of the place, at the end where the child repeats."""
    target = _only(compile(path).nodes(resource))
    if type(target.value) is not dict:
        raise Refused("the path leads to a value that has no children.")
    new = content(target.type, _text(parts, "name"), _part(parts, "value"))
    slot = Slot(target.value, new.key)
    if not new.many and new.taken(target.value):
        raise Refused("the element is there already and does not repeat. Replace it.", "conflict")
    slot.put(slot.size if new.many else None, new.value, new.shadow)


def _insert(resource: Json, path: str, parts: Mapping[str, Json]) -> None:
    """The value into a list, before the item at the index."""
    owner, name = _list(resource, path)
    new = content(owner.type, name, _part(parts, "value"))
    slot = Slot(owner.value, new.key)
    if not new.many:
        raise Refused("the element does not repeat. Add or replace it.")
    slot.put(_index(parts, "index", slot.size), new.value, new.shadow)


def _delete(resource: Json, path: str, _parts: Mapping[str, Json]) -> None:
    """What stands at the place, if it does."""
    found = compile(path).nodes(resource)
    if found:
        target = _only(found)
        Slot(_owner(target), target.key).cut(target.index)


def _replace(resource: Json, path: str, parts: Mapping[str, Json]) -> None:
    """Another value at the place; of a choice it may be another type."""
    target = _only(compile(path).nodes(resource))
    owner = _owner(target)
    holder = _typed(node(resource), owner)
    new = _replacement(holder, target, _part(parts, "value"))
    if new.key != target.key:
        Slot(owner, target.key).cut(None)
    elif target.index is not None:
        Slot(owner, target.key).set(target.index, new.value, new.shadow)
        return
    Slot(owner, new.key).put(None, new.value, new.shadow)


def _move(resource: Json, path: str, parts: Mapping[str, Json]) -> None:
    """An item of a list to another index."""
    owner, name = _list(resource, path)
    slot = Slot(owner.value, name)
    last = slot.size - 1
    slot.move(_index(parts, "source", last), _index(parts, "destination", last))


_KINDS: Mapping[str, Callable[[Json, str, Mapping[str, Json]], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _part(parts: Mapping[str, Json], name: str) -> Json:
    if name not in parts:
        raise Refused(f"the part {name} is missing.", "required")
    return parts[name]


def _text(parts: Mapping[str, Json], name: str) -> str:
    part = _part(parts, name)
    for key in ("valueString", "valueCode"):
        if type(part.get(key)) is str:
            return str(part[key])
    raise Refused(f"the part {name} needs a valueString or valueCode.", "structure")


def _index(parts: Mapping[str, Json], name: str, most: int) -> int:
    value = _part(parts, name).get("valueInteger")
    if type(value) is not int:
        raise Refused(f"the part {name} needs a valueInteger.", "structure")
    if not 0 <= value <= most:
        raise Refused(f"the {name} lies outside the list.", "not-found")
    return value


def _only(found: list[Any]) -> Node:
    """The one place that a path found."""
    if not found:
        raise Refused("the path finds nothing.", "not-found")
    if len(found) > 1:
        raise Refused(f"the path finds {len(found)} places and must find one.", "multiple-matches")
    if not isinstance(found[0], Node):
        raise Refused("the path gives a calculated value, not a place in the resource.")
    return found[0]


def _owner(target: Node) -> Json:
    if target.owner is None:
        raise Refused("the resource as a whole is not patched.")
    return target.owner


def _list(resource: Json, path: str) -> tuple[Node, str]:
    """The object that holds the list at the end of a path, and the name of its element."""
    tree: Tree = parse(path)
    if not isinstance(tree, Member):
        raise Refused("the path must end with the name of a list.")
    if tree.of is None:
        return node(resource), tree.name
    root = node(resource)
    holder = _only(step(tree.of)(Context(root, root), [root]))
    if type(holder.value) is not dict:
        raise Refused("the path leads to a value that has no children.")
    return holder, tree.name


def _typed(root: Node, owner: Json) -> Node:
    """The Node of an object inside the resource: its type says what may stand in it."""
    stack = [root]
    while stack:
        at = stack.pop()
        if at.value is owner or at.shadow is owner:
            return at
        stack.extend(every_child(at))
    raise Refused("the place is not inside the resource.")


def _replacement(holder: Node, target: Node, part: Json) -> Content:
    type_ = load().types["Element" if holder.type in primitives() else holder.type]
    return content(holder.type, type_.by_key[target.key][0].name, part)
