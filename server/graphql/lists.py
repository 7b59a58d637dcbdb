"""Arguments on a list of elements: which of them are wanted (https://hl7.org/fhir/R4/graphql.html#list)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_profiles.fhirpath import compile as compile_path
from fhir_profiles.fhirpath import node
from fhir_profiles.fhirpath.errors import PathError

from .asked import invalid


def chosen(items: list[Any], kind: str, arguments: Mapping[str, Any], resource: dict[str, Any]) -> list[Any]:
    """The items whose parts equal the arguments and for which `fhirpath` holds, from `_offset`, at most `_count`."""
    rest = dict(arguments)
    offset, count = _whole(rest.pop("_offset", 0)), rest.pop("_count", None)
    path = rest.pop("fhirpath", None)
    kept = [item for item in items if all(_has(item, name, value) for name, value in rest.items())]
    if path is not None:
        if not isinstance(path, str):
            raise invalid("fhirpath must be a string.")
        kept = [item for item in kept if _is_true(_evaluated(path, item, kind, resource))]
    return kept[offset:] if count is None else kept[offset : offset + _whole(count)]


def marks_of(items: list[Any], kind: str, path: str, resource: dict[str, Any]) -> list[str]:
    """What @slice names each item by: the value of its path, or its place for `$index`."""
    if path == "$index":
        return [str(number) for number in range(len(items))]
    return ["".join(_text(one) for one in _evaluated(path, item, kind, resource)[:1]) for item in items]


def _evaluated(path: str, item: Any, kind: str, resource: dict[str, Any]) -> list[Any]:
    try:
        return compile_path(path).evaluate(resource, focus=node(item, kind))
    except PathError:
        raise invalid("The FHIRPath of an argument cannot be evaluated here.") from None


def _has(item: Any, name: str, value: Any) -> bool:
    """Whether a part of the item is the value, or holds it where it is a list itself."""
    if not isinstance(item, dict):
        return False
    part = item.get(name)
    return any(_text(one) == _text(value) for one in (part if isinstance(part, list) else [part]) if one is not None)


def _text(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _is_true(found: list[Any]) -> bool:
    return bool(found) and found[0] is not False


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise invalid("_offset and _count are whole numbers that are not negative.")
    return value
