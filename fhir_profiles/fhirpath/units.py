"""Units of measure as far as comparing quantities needs them (https://ucum.org/ucum).

A small table of the units that clinical ranges use. A caller that has all of UCUM passes its own function instead.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

Canonical = tuple[Decimal, str]
"""A value in base units, and their product as text: equal for comparable units."""

_PREFIXES = {
    "T": 12,
    "G": 9,
    "M": 6,
    "k": 3,
    "h": 2,
    "da": 1,
    "d": -1,
    "c": -2,
    "m": -3,
    "u": -6,
    "n": -9,
    "p": -12,
    "f": -15,
}
_METRIC: dict[str, tuple[str, dict[str, int]]] = {
    "m": ("1", {"m": 1}),
    "g": ("1", {"g": 1}),
    "s": ("1", {"s": 1}),
    "K": ("1", {"K": 1}),
    "l": ("0.001", {"m": 3}),
    "L": ("0.001", {"m": 3}),
    "mol": ("6.02214076e23", {}),
    "eq": ("6.02214076e23", {}),
    "osm": ("6.02214076e23", {}),
    "Pa": ("1000", {"g": 1, "m": -1, "s": -2}),
    "N": ("1000", {"g": 1, "m": 1, "s": -2}),
    "J": ("1000", {"g": 1, "m": 2, "s": -2}),
    "W": ("1000", {"g": 1, "m": 2, "s": -3}),
    "Hz": ("1", {"s": -1}),
    "cal": ("4184", {"g": 1, "m": 2, "s": -2}),
    "kat": ("6.02214076e23", {"s": -1}),
    "U": ("10036894766666666.67", {"s": -1}),
    "m[Hg]": ("133322000", {"g": 1, "m": -1, "s": -2}),
    "[iU]": ("1", {"[iU]": 1}),
    "[IU]": ("1", {"[iU]": 1}),
}
_PLAIN: dict[str, tuple[str, dict[str, int]]] = {
    "%": ("0.01", {}),
    "min": ("60", {"s": 1}),
    "h": ("3600", {"s": 1}),
    "d": ("86400", {"s": 1}),
    "wk": ("604800", {"s": 1}),
    "mo": ("2629800", {"s": 1}),
    "a": ("31557600", {"s": 1}),
    "[in_i]": ("0.0254", {"m": 1}),
    "[ft_i]": ("0.3048", {"m": 1}),
    "[yd_i]": ("0.9144", {"m": 1}),
    "[mi_i]": ("1609.344", {"m": 1}),
    "[lb_av]": ("453.59237", {"g": 1}),
    "[oz_av]": ("28.349523125", {"g": 1}),
    "[degF]": ("1", {"[degF]": 1}),
    "Cel": ("1", {"Cel": 1}),
    "[pH]": ("1", {"[pH]": 1}),
}
CALENDAR_UNITS = {"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms"}
"""Durations of the calendar that last as long as those of UCUM; years and months do not."""

_PART = re.compile(r"(?P<op>[./])?(?:(?P<ten>10[*^])|(?P<atom>(?:\[[^\]]*\]|[A-Za-z%])+)|(?P<n>\d+))?(?P<e>[+-]?\d+)?")
_NOTE = re.compile(r"\{[^}]*\}")


def canonical(value: Decimal, code: str) -> Canonical | None:
    """The value in base units; None for a unit that the table does not have."""
    found = _factor(code)
    return None if found is None else (value * found[0], found[1])


@lru_cache(maxsize=1_024)
def _factor(code: str) -> tuple[Decimal, str] | None:
    text = _NOTE.sub("", code)
    factor, powers, at = Decimal(1), dict[str, int](), 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or found.end() == at:
            return None
        part = _part(found)
        if part is None:
            return None
        times = -1 if found["op"] == "/" else 1
        factor *= part[0] ** times
        for base, power in part[1].items():
            powers[base] = powers.get(base, 0) + power * times
        at = found.end()
    return factor, ".".join(f"{base}{power}" for base, power in sorted(powers.items()) if power)


def _part(found: re.Match[str]) -> tuple[Decimal, dict[str, int]] | None:
    exponent = int(found["e"] or 1)
    if abs(exponent) > 30:
        return None
    if found["ten"]:
        return Decimal(10) ** exponent, {}
    if found["n"]:
        return Decimal(found["n"]), {}
    if not found["atom"]:
        return (Decimal(1), {}) if found["op"] and not found["e"] else None
    unit = _atom(found["atom"])
    if unit is None:
        return None
    return unit[0] ** exponent, {base: power * exponent for base, power in unit[1].items()}


def _atom(name: str) -> tuple[Decimal, dict[str, int]] | None:
    if name in _PLAIN or name in _METRIC:
        number, powers = _PLAIN.get(name) or _METRIC[name]
        return Decimal(number), powers
    for size in (2, 1):
        prefix, rest = name[:size], name[size:]
        if prefix in _PREFIXES and rest in _METRIC:
            number, powers = _METRIC[rest]
            return Decimal(number).scaleb(_PREFIXES[prefix]), powers
    return None
