"""The effectiveTimes of a medication to Timing (https://hl7.org/fhir/us/ccda/CF-medications.html)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_profiles.systems import XML_SCHEMA_INSTANCE

from . import times
from .tree import Element, attribute, every, find, name_of
from .values import Json, number

_TYPE = f"{{{XML_SCHEMA_INSTANCE}}}type"
_UNITS = {"s": "s", "min": "min", "h": "h", "hr": "h", "d": "d", "wk": "wk", "mo": "mo", "a": "a"}
_HOURS = {"h": 1, "d": 24, "wk": 168}
_EVENTS = {
    *("AC", "ACD", "ACM", "ACV", "C", "CD", "CM", "CV", "HS", "PC", "PCD", "PCM", "PCV", "WAKE"),
}
_MEALS = {"C", "CD", "CM", "CV"}
_MINUTES = {"min": 1, "h": 60, "d": 1440}


def timing(node: Element, notes: list[str]) -> tuple[Json, Json]:
    """The Timing of a substanceAdministration, and the period in which it is taken."""
    repeat: Json = {}
    events: list[str] = []
    bounds: Json = {}
    for when in every(node, "v:effectiveTime"):
        kind = (when.get(_TYPE) or "").rpartition(":")[2] or _guess(when)
        parts = list(every(when, "v:comp")) if kind == "SXPR_TS" else [when]
        for part in parts:
            of_part = (part.get(_TYPE) or "").rpartition(":")[2] or _guess(part)
            if of_part == "PIVL_TS":
                repeat |= _periodic(part, notes)
            elif of_part == "EIVL_TS":
                repeat |= _by_event(part, notes)
            elif part.get("value"):
                events += [point] if (point := times.of(part, notes)) else []
            else:
                bounds = times.period(part, notes) or bounds
    if bounds and (repeat or (node.get("moodCode") or "EVN") != "EVN"):
        repeat = {"boundsPeriod": bounds, **repeat}
    made = {key: value for key, value in (("event", events), ("repeat", repeat)) if value}
    return made, bounds or ({"start": events[0]} if len(events) == 1 else {})


def _guess(when: Element) -> str:
    """What an effectiveTime without a type is, by what it holds."""
    inside = {name_of(child) for child in when if isinstance(child.tag, str)}
    return "PIVL_TS" if "period" in inside else "EIVL_TS" if "event" in inside else "IVL_TS"


def _periodic(node: Element, notes: list[str]) -> Json:
    """Every so many hours, or so many times a day where an institution chooses the hours."""
    period = find(node, "v:period")
    low, high = find(period, "v:low"), find(period, "v:high")
    first = low if low is not None else period
    value, unit = number(attribute(first, ".", "value")), _UNITS.get(attribute(first, ".", "unit"))
    if value is None or unit is None or value <= 0:
        notes.append("A period of a medication that is none was left out.")
        return {}
    hours = value * _HOURS[unit] if unit in _HOURS else None
    often = node.get("institutionSpecified") == "true"
    if often and hours and hours < 24 and 24 % hours == 0:
        return {"frequency": int(24 / hours), "period": 1, "periodUnit": "d"}
    found: Json = {"frequency": 1, "period": value, "periodUnit": unit}
    most = number(attribute(high, ".", "value"))
    if most is not None and most > value and _UNITS.get(attribute(high, ".", "unit")) == unit:
        found["periodMax"] = most
    return found


def _by_event(node: Element, notes: list[str]) -> dict[str, Any]:
    """Before breakfast, at bedtime, an hour after a meal."""
    code = attribute(node, "v:event", "code")
    if code not in _EVENTS:
        notes.append("An event that a medication is timed by is not known to FHIR and was left out.")
        return {}
    found: dict[str, Any] = {"when": [code]}
    offset = find(node, "v:offset")
    first = find(offset, "v:low") if offset is not None and find(offset, "v:low") is not None else offset
    value, factor = number(attribute(first, ".", "value")), _MINUTES.get(attribute(first, ".", "unit"))
    if value is not None and factor and code not in _MEALS and (minutes := Decimal(abs(value)) * factor) % 1 == 0:
        found["offset"] = int(minutes)
    return found
