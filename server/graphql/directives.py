"""@flatten, @first, @singleton and @slice: the shape of the answer (https://hl7.org/fhir/R4/graphql.html#directives)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import FieldNode

from .asked import Asked, invalid

Json = dict[str, Any]


def key_of(node: FieldNode) -> str:
    """The name in the answer."""
    return node.alias.value if node.alias else node.name.value


def merged(answers: Iterable[tuple[FieldNode, Any]]) -> Json:
    """One object of the answers; a field that is asked for twice has the fields of both."""
    found: Json = {}
    for node, value in answers:
        key = key_of(node)
        found[key] = _joined(found[key], value) if key in found else value
    return found


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **{key: _joined(one[key], value) if key in one else value for key, value in other.items()}}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_joined(a, b) for a, b in zip(one, other, strict=True)]
    return one


def flattened(answer: Json, fields: list[tuple[FieldNode, Any]]) -> Json:
    """The object after the directives of its fields."""
    for node, _ in fields:
        names = {one.name.value: one for one in node.directives or ()}
        key = key_of(node)
        if key not in answer or not names.keys() & _OURS:
            continue
        if isinstance(answer[key], Sliced):
            answer |= answer.pop(key).named(key)
            continue
        value = answer[key]
        if "first" in names and isinstance(value, list):
            value = answer[key] = value[0] if value else None
        if "flatten" in names:
            del answer[key]
            for name, part in _lifted(value).items():
                answer[name] = [*answer[name], *part] if isinstance(part, list) and name in answer else part
        if "singleton" in names and not _is_one(answer, key):
            raise invalid("@singleton is on a field that has several values.")
    singles = {one for node, _ in fields for one in _singletons(node)}
    return {
        key: value[0] if key in singles and value == value[:1] and value else value for key, value in answer.items()
    }


_OURS = frozenset({"flatten", "first", "singleton", "slice"})


def _singletons(node: FieldNode) -> set[str]:
    """Names that stand for one value although what is above them is a list that was flattened."""
    if not any(one.name.value == "flatten" for one in node.directives or ()) or node.selection_set is None:
        return set()
    return {
        key_of(one)
        for one in node.selection_set.selections
        if isinstance(one, FieldNode) and any(d.name.value == "singleton" for d in one.directives or ())
    }


def _is_one(answer: Json, key: str) -> bool:
    return not isinstance(answer.get(key), list) or len(answer[key]) <= 1


def _lifted(value: Any) -> Json:
    """The fields of an object, or of every object of a list, each a list then."""
    if isinstance(value, dict):
        return value
    found: Json = {}
    for one in value or ():
        if isinstance(one, dict):
            for name, part in one.items():
                if part is not None:
                    found.setdefault(name, []).extend(part if isinstance(part, list) else [part])
    return found


class Sliced(list[tuple[str, Any]]):
    """The items of a list with @slice, each under the mark that its FHIRPath gives."""

    def named(self, key: str) -> Json:
        """One field for each mark; a list where several items share it."""
        found: Json = {}
        for mark, item in self:
            name = f"{key}.{mark}"
            found[name] = [*_as_list(found[name]), item] if name in found else item
        return found


def slice_of(asked: Asked, node: FieldNode) -> str | None:
    """The path of a field's @slice."""
    for one in node.directives or ():
        if one.name.value == "slice":
            path = asked.arguments(one).get("path")
            if not isinstance(path, str):
                raise invalid("@slice needs a path.")
            return path
    return None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
