"""Measured values as intervals, and in the base units of UCUM (https://ucum.org/ucum).

Most are points, whose two ends are one number and one index. What is an interval has a second row under the negative
key of its parameter: what reaches beyond a number is a point or interval that begins there, or one of those few.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from fhir_profiles.systems import UCUM
from terminology.ucum import canonical


def bounds(value: float, low: float, high: float) -> tuple[float, float]:
    """A written number is a point; a Range or a comparator is the interval that it says."""
    if math.isclose(value - low, high - value, rel_tol=1e-6):
        return value, value
    return low, high


def in_base_unit(ends: tuple[float, float], system: str | None, code: str | None) -> tuple[float, float, str] | None:
    """An interval in base units, and which; None when UCUM does not say."""
    if system != UCUM or not code:
        return None
    first = _based(ends[0], code)
    last = first if ends[0] == ends[1] else _based(ends[1], code)
    if first is None or last is None:
        return None
    return min(first[0], last[0]), max(first[0], last[0]), first[1]


@lru_cache(maxsize=16384)
def _based(value: float, code: str) -> tuple[float, str] | None:
    """One end; an open end stays open."""
    if math.isinf(value):
        found = canonical(Decimal(1), code)
        return None if found is None else (value, found[1])
    found = canonical(Decimal(repr(value)), code)
    return None if found is None else (float(found[0]), found[1])


def twice(rows: Iterable[tuple[Any, ...]], at: int) -> list[tuple[Any, ...]]:
    """The rows, and those whose columns `at` and the next are the ends of an interval again, under the negative key."""
    found = list(rows)
    return found + [(-row[0], *row[1:]) for row in found if row[at] != row[at + 1]]
