"""Immunization activities to Immunization (https://hl7.org/fhir/us/ccda/CF-immunizations.html)."""

from __future__ import annotations

from . import codes, times
from .medications import drug_of
from .sheet import Sheet, is_negated, related
from .tree import Element, attribute, every, find, words
from .values import Json, absent_extension, number, quantity


def immunization(sheet: Sheet, node: Element) -> None:
    """One vaccination, refused ones too; one that is only planned is not mapped."""
    if (node.get("moodCode") or "EVN") != "EVN":
        sheet.left("a planned immunization")
        return
    when = find(node, "v:effectiveTime")
    at, _ = times.span(when, sheet.notes)
    product = find(node, "v:consumable/v:manufacturedProduct")
    refused = is_negated(node)
    status = attribute(node, "v:statusCode", "code")
    dose = quantity(find(node, "v:doseQuantity"))
    maker = words(find(product, "v:manufacturerOrganization/v:name"))
    performer = sheet.person(find(node, "v:performer/v:assignedEntity"))
    nth = number(attribute(node, "v:repeatNumber", "value"))
    content: Json = {
        "status": "not-done" if refused or status in ("aborted", "cancelled") else "completed",
        "statusReason": sheet.concept(find(related(node, codes.REFUSAL), "v:code")) if refused else None,
        "vaccineCode": drug_of(sheet, node),
        "encounter": sheet.encounter,
        "manufacturer": {"display": maker} if maker else None,
        "lotNumber": words(find(product, "v:manufacturedMaterial/v:lotNumberText")),
        "site": sheet.concept(find(node, "v:approachSiteCode")),
        "route": sheet.concept(find(node, "v:routeCode")),
        "doseQuantity": dose,
        "performer": [{"actor": performer}] if performer else [],
        "note": [{"text": said} for said in _comments(sheet, node)],
    }
    if at:
        content["occurrenceDateTime"] = at
    else:
        content["_occurrenceDateTime"] = absent_extension(when)
    if nth is not None and nth == int(nth) > 0:
        content["protocolApplied"] = [{"doseNumberPositiveInt": int(nth)}]
    sheet.entry("Immunization", node, content, "patient")


def _comments(sheet: Sheet, node: Element) -> list[str]:
    acts = every(node, "v:entryRelationship/v:act")
    return [said for act in acts if attribute(act, "v:code", "code") == "48767-8" and (said := sheet.said(act))]
