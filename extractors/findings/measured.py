"""A measured value: how it is made, with its unit settled and its doubts noted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from extractors.findings.analytes import DIASTOLIC, PRESSURE, SYSTOLIC, TEMPERATURE, Analyte
from extractors.findings.grammar import comparator, decimal
from extractors.findings.plausible import doubts
from extractors.model import Span


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value in the text: `start`–`end` from its name to its last word, `at` the number itself."""

    start: int
    end: int
    at: Span
    kind: str
    attributes: dict[str, Any]


def numeric(printed: str, thousands: str | None = None, sign: str | None = None) -> dict[str, Any]:
    """The attributes of one printed number; a `k` after it means thousands."""
    numbers: dict[str, Any] = {"value": decimal(printed, thousands)}
    if sign:
        numbers["comparator"] = sign
    return numbers


def pressure(start: int, end: int, at: Span, match: re.Match[str] | Mapping[str, Any]) -> Value:
    """A blood pressure with its two components; `match` has s1, d1, their highest s2, d2 and the comparator."""
    components: list[dict[str, Any]] = []
    reason = None
    for name, loinc, group in (("systolic", SYSTOLIC, "s"), ("diastolic", DIASTOLIC, "d")):
        part: dict[str, Any] = {"name": name, "loinc": loinc, "value": Decimal(match[f"{group}1"]), "unit": "mm[Hg]"}
        if match[f"{group}2"]:
            part["value_high"] = Decimal(match[f"{group}2"])
        low, high = (30, 300) if group == "s" else (10, 200)
        if not low <= part["value"] <= high:
            reason = "outside what is possible for this measurement"
        components.append(part)
    if components[0]["value"] <= components[1]["value"]:
        reason = "systolic is not above diastolic"
    attributes: dict[str, Any] = {
        "name": "blood pressure",
        "loinc": PRESSURE,
        "unit": "mm[Hg]",
        "components": tuple(components),
    }
    if sign := comparator(match["cmp"]):
        attributes["comparator"] = sign
    if reason:
        attributes |= {"doubtful": True, "reason": reason}
    return Value(start, end, at, "vital", attributes)


def value_of(
    text: str, start: int, end: int, at: Span, analyte: Analyte, numbers: dict[str, Any],
    unit: str | None, printed: str | None, name: str = "",
) -> Value:  # fmt: skip
    """The finished value: unit settled, doubts noted."""
    attributes: dict[str, Any] = {"name": analyte.display, "loinc": analyte.loinc, **numbers}
    if analyte.loinc == TEMPERATURE and unit not in ("[degF]", "Cel"):
        hinted = "[degF]" if name.endswith((" f", "(f)")) else "Cel" if name.endswith((" c", "(c)")) else None
        unit = hinted or ("[degF]" if numbers["value"] >= 50 else "Cel")
    elif unit is None and name.endswith((" lb", " lbs", "(lb)", "(lbs)")):
        unit = "[lb_av]"
    elif unit is None and name.endswith((" in", "(in)")):
        unit = "[in_i]"
    unit = unit or analyte.unit
    if unit == "10*3/uL" and printed is None and numbers["value"] >= 1000:
        unit = "/uL"
    if unit:
        attributes["unit"] = unit
    if printed:
        attributes["unit_text"] = printed
    if analyte.kind == "survey":
        attributes["category"] = "survey"
    limits = (numbers.get("low"), numbers.get("high"))
    reason = doubts(analyte, numbers["value"], unit, limits, text[slice(*at)])
    if reason:
        attributes |= {"doubtful": True, "reason": reason}
    return Value(start, end, at, "vital" if analyte.kind == "vital" else "lab", attributes)
