"""Results, vital signs and social history to Observation and DiagnosticReport (https://hl7.org/fhir/us/ccda/CF-results.html)."""

from __future__ import annotations

from typing import Any

from fhir_profiles.systems import DIAGNOSTIC_SERVICE, LOINC, OBSERVATION_CATEGORY, XML_SCHEMA_INSTANCE

from . import times
from .sheet import Sheet, is_negated, status_of
from .tree import Element, attribute, every, find, words
from .values import Json, absent_concept, quantity

_TYPE = f"{{{XML_SCHEMA_INSTANCE}}}type"
_STATUS = {
    "completed": "final",
    "active": "registered",
    "aborted": "cancelled",
    "cancelled": "cancelled",
    "held": "registered",
    "suspended": "registered",
    "nullified": "entered-in-error",
    "corrected": "corrected",
}
_REPORT = {"active": "partial", "suspended": "partial", "held": "registered", "aborted": "cancelled"}
_PRESSURE = ("8480-6", "8462-4")


def results(sheet: Sheet, organizer: Element) -> None:
    """A result organizer: its DiagnosticReport and the Observations in it."""
    members = [observation(sheet, one, "laboratory") for one in every(organizer, "v:component/v:observation")]
    if not members:
        sheet.left("a result organizer without results")
        return
    start, end = times.span(find(organizer, "v:effectiveTime"), sheet.notes)
    inside = next(every(organizer, "v:component/v:observation"))
    first = start or times.of(find(inside, "v:effectiveTime"), sheet.notes)
    written, author = sheet.recorded_of(organizer)
    content: Json = {
        "status": status_of(organizer, _STATUS | _REPORT, "unknown"),
        "category": [{"coding": [{"system": DIAGNOSTIC_SERVICE, "code": "LAB"}]}],
        "code": sheet.concept(find(organizer, "v:code")) or absent_concept(find(organizer, "v:code")),
        "encounter": sheet.encounter,
        "performer": [author] if author else [],
        "result": members,
        **_when(first, end),
    }
    if written and len(written) > 10:
        content["issued"] = written
    sheet.entry("DiagnosticReport", organizer, content)


def vitals(sheet: Sheet, organizer: Element) -> None:
    """The vital signs of one moment; the two pressures are one Observation."""
    start, _ = times.span(find(organizer, "v:effectiveTime"), sheet.notes)
    pressures: dict[str, Element] = {}
    for one in every(organizer, "v:component/v:observation"):
        code = attribute(one, "v:code", "code")
        if code in _PRESSURE and code not in pressures and quantity(find(one, "v:value")):
            pressures[code] = one
        else:
            observation(sheet, one, "vital-signs", start)
    if len(pressures) == 2:
        _blood_pressure(sheet, [pressures[code] for code in _PRESSURE], start)
    else:
        for one in pressures.values():
            observation(sheet, one, "vital-signs", start)


def _blood_pressure(sheet: Sheet, pair: list[Element], at: str | None) -> None:
    components = [
        {"code": sheet.concept(find(one, "v:code")), "valueQuantity": quantity(find(one, "v:value"))} for one in pair
    ]
    when, _ = times.span(find(pair[0], "v:effectiveTime"), sheet.notes)
    content = {
        "status": status_of(pair[0], _STATUS, "final"),
        "category": _category("vital-signs"),
        "code": {"coding": [{"system": LOINC, "code": "85354-9"}]},
        "encounter": sheet.encounter,
        "component": components,
        **_when(when or at, None),
    }
    sheet.entry("Observation", pair[0], content)


def social(sheet: Sheet, node: Element) -> None:
    """Smoking status, tobacco use, pregnancy, birth sex, whatever else a social history says."""
    observation(sheet, node, "social-history")


def observation(sheet: Sheet, node: Element, category: str, at: str | None = None) -> dict[str, str]:
    """One Observation; without a value it says why there is none."""
    start, end = times.span(find(node, "v:effectiveTime"), sheet.notes)
    code = sheet.concept(find(node, "v:code"))
    if not code and (said := sheet.said(node)):
        code = {"text": said}
    status = status_of(node, _STATUS, "final" if category != "laboratory" else "unknown")
    value = value_of(sheet, find(node, "v:value"))
    content: Json = {
        "status": status,
        "category": _category(category),
        "code": code or absent_concept(find(node, "v:code")),
        "encounter": sheet.encounter,
        **_when(start or at, end),
        **value,
        "interpretation": [one for each in every(node, "v:interpretationCode") if (one := sheet.concept(each))],
        "method": sheet.concept(find(node, "v:methodCode")),
        "bodySite": sheet.concept(find(node, "v:targetSiteCode")),
        "referenceRange": _ranges(sheet, node),
        "note": [{"text": said} for said in _comments(sheet, node)],
    }
    if is_negated(node):
        content["note"].append({"text": "The document says that this was not so (negationInd)."})
    if not value:
        content["dataAbsentReason"] = absent_concept(find(node, "v:value"))
    return sheet.entry("Observation", node, content)


def _category(code: str) -> list[Json]:
    return [{"coding": [{"system": OBSERVATION_CATEGORY, "code": code}]}]


def _when(start: str | None, end: str | None) -> Json:
    if start and end and start != end:
        return {"effectivePeriod": {"start": start, "end": end}}
    return {"effectiveDateTime": start} if start else {}


def value_of(sheet: Sheet, node: Element | None) -> dict[str, Any]:
    """`value[x]` of a V3 value, by its type; empty when it is null."""
    if node is None:
        return {}
    kind = (node.get(_TYPE) or "").rpartition(":")[2].partition("_")[0]
    if kind in ("CD", "CE", "CO", "CV", "CS", "BL"):
        if kind == "BL" and node.get("value") in ("true", "false"):
            return {"valueBoolean": node.get("value") == "true"}
        found = sheet.concept(node)
        return {"valueCodeableConcept": found} if found else {}
    if kind in ("INT", "REAL", "PQ", "MO") or (not kind and node.get("value")):
        found = quantity(node)
        return {"valueQuantity": found} if found else _text(node, node.get("value"))
    if kind == "IVL":
        return _interval(node)
    if kind == "RTO":
        top, below = quantity(find(node, "v:numerator")), quantity(find(node, "v:denominator"))
        return {"valueRatio": {"numerator": top, "denominator": below}} if top and below else {}
    if kind == "TS":
        point = times.of(node, sheet.notes)
        return {"valueDateTime": point} if point else {}
    return _text(node, words(node) or node.get("value"))


def _text(node: Element, text: str | None) -> dict[str, Any]:
    if not text and not node.get("nullFlavor") and (code := attribute(node, ".", "displayName")):
        text = code
    return {"valueString": " ".join(text.split())} if text and text.strip() else {}


def _interval(node: Element) -> dict[str, Any]:
    """An interval: a range, or a bound, which is a quantity with a comparator."""
    low, high = find(node, "v:low"), find(node, "v:high")
    least, most = quantity(low), quantity(high)
    if least and most:
        return {"valueRange": {"low": least, "high": most}}
    if most and high is not None:
        return {"valueQuantity": {**most, "comparator": "<" if high.get("inclusive") == "false" else "<="}}
    if least and low is not None:
        return {"valueQuantity": {**least, "comparator": ">" if low.get("inclusive") == "false" else ">="}}
    return {}


def _ranges(sheet: Sheet, node: Element) -> list[Json]:
    made = []
    for one in every(node, "v:referenceRange/v:observationRange"):
        value = find(one, "v:value")
        low, high, text = quantity(find(value, "v:low")), quantity(find(value, "v:high")), sheet.said(one)
        if value is not None and not (low or high or text):
            text = words(value)
        if found := {key: part for key, part in (("low", low), ("high", high), ("text", text)) if part}:
            made.append(found)
    return made


def _comments(sheet: Sheet, node: Element) -> list[str]:
    acts = every(node, "v:entryRelationship/v:act")
    return [said for act in acts if attribute(act, "v:code", "code") == "48767-8" and (said := sheet.said(act))]
