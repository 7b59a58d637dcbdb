"""Fixed and pattern values (https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_profiles.json import decode

Test = Callable[[Any], bool]


def value_of(written: bytes) -> Any:
    """A value as rules keep it: JSON with decimals that keep their digits."""
    return decode(b'{"v":%b}' % written)["v"]


def is_fixed(written: bytes) -> Test:
    """Whether a value is exactly the fixed one."""
    fixed = value_of(written)
    return lambda value: equal(fixed, value)


def is_pattern(written: bytes) -> Test:
    """Whether a value has everything that the pattern has."""
    pattern = value_of(written)
    return lambda value: fits(pattern, value)


def equal(one: Any, other: Any) -> bool:
    """Deep equality in which true is not 1."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict) and one.keys() == other.keys() and all(equal(v, other[k]) for k, v in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(equal, one, other))
    return (type(one) is bool) == (type(other) is bool) and bool(one == other)


def fits(pattern: Any, value: Any) -> bool:
    """Whether `value` holds what `pattern` holds: each property, and for each item of a list some item that fits."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(k in value and fits(p, value[k]) for k, p in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(fits(p, v) for v in value) for p in pattern)
    return equal(pattern, value)
