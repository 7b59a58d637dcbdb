"""What is usually charged for a service, and how far a charge lies from it.

Charges for one unit, as logarithms, have a median and a spread (1.4826 × median absolute deviation) for each code with
the modifiers that change its price, its setting and its unit; https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm
tells why these and not mean and deviation. Where there are few lines, code and family are drawn upon.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import exp, log
from typing import Any, NamedTuple

import msgspec
import numpy as np

from claims.learn.columns import Table
from claims.learn.groups import PRICING, clean, family, place, sealed

FEW = 10
"""From so many lines on a median stands for itself."""
LEAST = 3
WEIGHT = 10
NARROWEST = 0.1
"""The least spread: prices of a list never differ, and 5 % more is no outlier."""
MOST_KEYS = 200_000
LOWEST, HIGHEST = 1e-3, 1e15
"""Cents for a unit beyond which a line says nothing."""
FAR, TIMES = 4.0, 1.5
"""An outlier lies so many spreads away, and is so many times more or less."""
_FACILITY = frozenset(("hospital, inpatient", "hospital, outpatient", "emergency department", "surgery centre"))


class Norm(msgspec.Struct, frozen=True, array_like=True):
    """Lines, median of the logarithm of cents for a unit, spread."""

    lines: int
    median: float
    spread: float


class Line(NamedTuple):
    """A line that has a charge: its claim, its place in the table, and its keys from narrow to wide."""

    row: int
    at: int
    cents: float
    keys: tuple[str, str, str]
    provider: str | None
    code: str


class Unusual(NamedTuple):
    """How a charge lies: spreads from the median, times the median, on how many lines that rests, `of` what."""

    far: float
    times: float
    lines: int
    of: str

    @property
    def direction(self) -> str | None:
        """high or low for an outlier."""
        if abs(self.far) < FAR or max(self.times, 1 / self.times) < TIMES:
            return None
        return "high" if self.far > 0 else "low"


class Charges(msgspec.Struct, frozen=True):
    """Key → norm; `providers` of one who bills and a code, under a sealed number."""

    norms: dict[str, Norm]
    providers: dict[str, Norm]

    def of_line(self, line: Line) -> Unusual | None:
        """How the charge lies; None where nothing is known of its family."""
        found = [self.norms.get(key) for key in line.keys]
        narrow, code, wide = found
        for norm, parent, of in ((narrow, code or wide, "code, modifiers, setting and unit"), (code, wide, "code")):
            if norm is not None and norm.lines >= FEW:
                spread = norm.spread if parent is None else _drawn(norm, norm.spread, parent.spread)
                return _lies(line.cents, norm.median, spread, norm.lines, of)
        if wide is None or wide.lines < FEW:
            return None
        if code is None:
            return _lies(line.cents, wide.median, wide.spread, wide.lines, "family")
        median = _drawn(code, code.median, wide.median)
        return _lies(line.cents, median, _drawn(code, code.spread, wide.spread), code.lines, "code and its family")

    def own(self, line: Line) -> float | None:
        """Times the median of the same provider and code."""
        norm = self.providers.get(f"{line.provider} {line.code}") if line.provider else None
        return None if norm is None or norm.lines < FEW else line.cents / exp(norm.median)


def _drawn(norm: Norm, value: float, parent: float) -> float:
    return (norm.lines * value + WEIGHT * parent) / (norm.lines + WEIGHT)


def _lies(cents: float, median: float, spread: float, lines: int, of: str) -> Unusual:
    off = log(cents) - median
    return Unusual(off / max(spread, NARROWEST), exp(off), lines, of)


def lines_of(table: Table) -> Iterator[Line]:
    """The lines with a code and a charge for a unit that can be one."""
    names = ("row", "code", "mods", "pos", "unit", "units", "charge")
    columns: list[Sequence[Any]] = [table.lines[name] for name in names]
    for at, (row, said, mods, pos, unit, units, charge) in enumerate(zip(*columns, strict=True)):
        code = clean(said)
        if code is None or not charge or not units or not LOWEST < charge / units < HIGHEST:
            continue
        priced = ",".join(sorted(PRICING.intersection(mods))) if mods else ""
        plain = f"{code} {priced}"
        setting = "F" if place(pos) in _FACILITY else "N"
        measure = "MJ" if unit == "MJ" else "UN"
        keys = (f"{plain} {setting} {measure}", plain, f"family {family(code)}")
        yield Line(row, at, charge / units, keys, sealed(table.claims["provider_npi"][row]), code)


def fit(lines: Sequence[Line]) -> Charges:
    """The norms of lines; keys with fewer than 3 are left out."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    own: defaultdict[str, list[float]] = defaultdict(list)
    for line in lines:
        cents = log(line.cents)
        for key in line.keys:
            values[key].append(cents)
        if line.provider:
            own[f"{line.provider} {line.code}"].append(cents)
    return Charges(_norms(values, LEAST), _norms(own, FEW))


def _norms(values: dict[str, list[float]], least: int) -> dict[str, Norm]:
    kept = sorted((key for key, found in values.items() if len(found) >= least), key=lambda key: -len(values[key]))
    return {key: _norm(values[key]) for key in sorted(kept[:MOST_KEYS])}


def _norm(values: list[float]) -> Norm:
    array = np.array(values)
    median = float(np.median(array))
    return Norm(len(values), round(median, 6), round(1.4826 * float(np.median(np.abs(array - median))), 6))
