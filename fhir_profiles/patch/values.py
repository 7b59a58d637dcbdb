"""JSON values as a patch needs them: copying, counting, and equality as JSON sees it (https://www.rfc-editor.org/rfc/rfc6902)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def copied(value: Any) -> Any:
    """A deep copy of a JSON value."""
    if type(value) is dict:
        return {key: copied(child) for key, child in value.items()}
    if type(value) is list:
        return [copied(child) for child in value]
    return value


def size(value: Any) -> int:
    """How many values there are in a JSON value, itself included."""
    count, stack = 0, [value]
    while stack:
        at = stack.pop()
        count += 1
        if type(at) is dict:
            stack.extend(at.values())
        elif type(at) is list:
            stack.extend(at)
    return count


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: numbers by their value (1.0 is 1), and `true` is not 1."""
    if type(one) is dict:
        return type(other) is dict and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if type(one) is list:
        return type(other) is list and len(one) == len(other) and all(map(same, one, other))
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float, Decimal)
