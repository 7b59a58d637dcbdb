"""Procedure activities to Procedure, planned ones to ServiceRequest (https://hl7.org/fhir/us/ccda/CF-procedures.html)."""

from __future__ import annotations

from . import codes, times
from .sheet import Sheet, is_negated, status_of
from .tree import Element, every, find, templates
from .values import Json, absent_concept

_DONE = {
    "completed": "completed",
    "active": "in-progress",
    "aborted": "stopped",
    "cancelled": "not-done",
    "suspended": "on-hold",
    "nullified": "entered-in-error",
}
_PLANNED = {
    "active": "active",
    "completed": "completed",
    "cancelled": "revoked",
    "aborted": "revoked",
    "suspended": "on-hold",
    "held": "on-hold",
    "nullified": "entered-in-error",
    "new": "draft",
}
_INTENT = {"INT": "plan", "PRP": "proposal", "RQO": "order", "PRMS": "directive", "ARQ": "plan", "APT": "plan"}


def procedure(sheet: Sheet, node: Element) -> None:
    """One procedure, act or observation that was done, or that is to be."""
    if (node.get("moodCode") or "EVN") != "EVN":
        planned(sheet, node)
        return
    start, end = times.span(find(node, "v:effectiveTime"), sheet.notes)
    performers = [sheet.person(one) for one in every(node, "v:performer/v:assignedEntity")]
    content: Json = {
        "status": "not-done" if is_negated(node) else status_of(node, _DONE, "unknown"),
        "code": _code(sheet, node),
        "encounter": sheet.encounter,
        "bodySite": [one for each in every(node, "v:targetSiteCode") if (one := sheet.concept(each))],
        "performer": [{"actor": one} for one in performers if one],
        "reasonCode": [
            one
            for each in every(node, "v:entryRelationship/v:observation")
            if codes.INDICATION in templates(each) and (one := sheet.concept(find(each, "v:value")))
        ],
    }
    if start and end:
        content["performedPeriod"] = {"start": start, "end": end}
    else:
        content["performedDateTime"] = start or end
    for relation in every(node, "v:participant"):
        if relation.get("typeCode") == "DEV":
            sheet.left("a device of a procedure")
    sheet.entry("Procedure", node, content)


def planned(sheet: Sheet, node: Element) -> dict[str, str]:
    """What is to be done, as ServiceRequest; its Reference."""
    start, end = times.span(find(node, "v:effectiveTime"), sheet.notes)
    written, author = sheet.recorded_of(node)
    content: Json = {
        "status": status_of(node, _PLANNED, "unknown"),
        "intent": _INTENT.get(node.get("moodCode") or "", "plan"),
        "doNotPerform": True if is_negated(node) else None,
        "code": _code(sheet, node),
        "encounter": sheet.encounter,
        "authoredOn": written,
        "requester": author,
        "bodySite": [one for each in every(node, "v:targetSiteCode") if (one := sheet.concept(each))],
    }
    if start and end:
        content["occurrencePeriod"] = {"start": start, "end": end}
    else:
        content["occurrenceDateTime"] = start or end
    return sheet.entry("ServiceRequest", node, content)


def _code(sheet: Sheet, node: Element) -> Json:
    found = sheet.concept(find(node, "v:code"))
    if not found and (said := sheet.said(node)):
        return {"text": said}
    return found or absent_concept(find(node, "v:code"))
