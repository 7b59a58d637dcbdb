"""From a number, quantity or range to its index rows (https://hl7.org/fhir/R4/search.html#quantity)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fhir_profiles.extract.rows import Index
from fhir_profiles.extract.values import Codes, Emit
from fhir_profiles.systems import CURRENCY

_INF = math.inf


def number(codes: Codes) -> Emit:
    """An integer or decimal with the half unit of its last digit to both sides."""

    def emit(value: int | Decimal, index: Index) -> None:
        row = measured(value)
        for c in codes:
            index.numbers.append((c, *row))

    return emit


def number_range(codes: Codes) -> Emit:
    """A Range read as a number."""

    def emit(value: dict[str, Any], index: Index) -> None:
        row = _range(value)
        for c in codes:
            index.numbers.append((c, *row))

    return emit


def quantity(codes: Codes) -> Emit:
    """A Quantity or one of its kinds."""

    def emit(value: dict[str, Any], index: Index) -> None:
        written = value.get("value")
        if written is None:
            index.present.update(codes)
            return
        exact, low, high = measured(written)
        if comparator := value.get("comparator"):
            low, high = (-_INF, exact) if comparator[0] == "<" else (exact, _INF)
        rest = value.get("system"), value.get("code"), value.get("unit")
        for c in codes:
            index.quantities.append((c, exact, low, high, *rest))

    return emit


def money(codes: Codes) -> Emit:
    """A Money: the currency is the code."""

    def emit(value: dict[str, Any], index: Index) -> None:
        if "value" not in value:
            index.present.update(codes)
            return
        row = (*measured(value["value"]), CURRENCY, value.get("currency"), None)
        for c in codes:
            index.quantities.append((c, *row))

    return emit


def quantity_range(codes: Codes) -> Emit:
    """A Range of quantities; a missing side is open."""

    def emit(value: dict[str, Any], index: Index) -> None:
        unit: dict[str, Any] = value.get("low") or value.get("high") or {}
        row = (*_range(value), unit.get("system"), unit.get("code"), unit.get("unit"))
        for c in codes:
            index.quantities.append((c, *row))

    return emit


def measured(value: int | Decimal | float) -> tuple[float, float, float]:
    """(value, low, high) where low and high are half a unit of the last written digit away."""
    try:
        exact = float(value)
    except OverflowError:
        exact = _INF if value > 0 else -_INF
    places = int(value.as_tuple().exponent) if type(value) is Decimal else 0
    half = 0.5 * 10.0 ** min(max(places, -300), 300)
    return exact, exact - half, exact + half


def _range(value: Mapping[str, Any]) -> tuple[float, float, float]:
    low, high = value.get("low", {}).get("value"), value.get("high", {}).get("value")
    bottom = measured(low)[1] if low is not None else -_INF
    top = measured(high)[2] if high is not None else _INF
    middle = measured(low if low is not None else high)[0] if (low, high) != (None, None) else 0.0
    return middle, bottom, top
