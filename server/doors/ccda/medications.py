"""Medication activities to MedicationStatement and MedicationRequest (https://hl7.org/fhir/us/ccda/CF-medications.html).

What was taken (mood EVN) is a statement, what is to be taken (INT, RQO, PRMS, PRP) a request.
"""

from __future__ import annotations

from . import codes, times
from .sheet import Sheet, is_negated, related, status_of
from .timing import timing
from .tree import Element, attribute, every, find, templates, words
from .values import Json, absent_concept, number, quantity

_TAKEN = {
    "active": "active",
    "completed": "completed",
    "aborted": "stopped",
    "suspended": "on-hold",
    "held": "on-hold",
    "nullified": "entered-in-error",
    "cancelled": "stopped",
}
_ASKED = {
    "active": "active",
    "completed": "completed",
    "aborted": "stopped",
    "suspended": "on-hold",
    "held": "on-hold",
    "nullified": "entered-in-error",
    "cancelled": "cancelled",
    "new": "draft",
}


def medications_within(sheet: Sheet, act: Element) -> None:
    """Each medication of a discharge or admission medication act."""
    found = list(every(act, "v:entryRelationship/v:substanceAdministration"))
    for one in found:
        medication(sheet, one)
    if not found:
        sheet.left("a medication act without a medication")


def medication(sheet: Sheet, node: Element) -> dict[str, str]:
    """One medication, in the mood that it has."""
    drug = drug_of(sheet, node)
    when, bounds = timing(node, sheet.notes)
    written, author = sheet.recorded_of(node)
    reasons = [
        one
        for each in every(node, "v:entryRelationship/v:observation")
        if codes.INDICATION in templates(each) and (one := sheet.concept(find(each, "v:value")))
    ]
    for relation in every(node, "v:entryRelationship/v:supply"):
        if relation.get("moodCode") == "EVN":
            sheet.left("a dispense of a medication")
    dosage = dosage_of(sheet, node, when)
    if (node.get("moodCode") or "EVN") != "EVN":
        return _request(sheet, node, drug, dosage, written, author, reasons)
    status = status_of(node, _TAKEN, "unknown")
    content: Json = {
        "status": "not-taken" if is_negated(node) else status,
        "medicationCodeableConcept": drug,
        "context": sheet.encounter,
        "effectivePeriod": bounds if bounds.get("end") or not _is_point(node) else None,
        "dateAsserted": written,
        "informationSource": author,
        "reasonCode": reasons,
        "dosage": [dosage] if dosage else [],
    }
    if _is_point(node) and bounds.get("start") and not bounds.get("end"):
        content["effectiveDateTime"] = bounds["start"]
        content["dosage"] = [dosage] if (dosage := {k: v for k, v in dosage.items() if k != "timing"}) else []
    return sheet.entry("MedicationStatement", node, content)


def _is_point(node: Element) -> bool:
    """Whether it was given at one moment."""
    found = list(every(node, "v:effectiveTime"))
    return len(found) == 1 and bool(found[0].get("value"))


def _request(
    sheet: Sheet,
    node: Element,
    drug: Json,
    dosage: Json,
    written: str | None,
    author: Json | None,
    reasons: list[Json],
) -> dict[str, str]:
    supply = related(node, codes.SUPPLY_ORDER, "supply")
    content: Json = {
        "status": status_of(node, _ASKED, "unknown"),
        "intent": "order" if supply is not None or node.get("moodCode") == "RQO" else "plan",
        "doNotPerform": True if is_negated(node) else None,
        "medicationCodeableConcept": drug,
        "encounter": sheet.encounter,
        "authoredOn": written,
        "requester": author,
        "reasonCode": reasons,
        "dosageInstruction": [dosage] if dosage else [],
    }
    if supply is not None:
        repeats = number(attribute(supply, "v:repeatNumber", "value"))
        dispense = {
            "validityPeriod": times.period(find(supply, "v:effectiveTime"), sheet.notes),
            "numberOfRepeatsAllowed": int(repeats) if repeats is not None and repeats == int(repeats) >= 0 else None,
            "quantity": quantity(find(supply, "v:quantity")),
        }
        content["dispenseRequest"] = {key: value for key, value in dispense.items() if value not in (None, {})}
    return sheet.entry("MedicationRequest", node, content)


def drug_of(sheet: Sheet, node: Element) -> Json:
    """The code of what is given, else its name, else why there is none."""
    material = find(node, "v:consumable/v:manufacturedProduct/v:manufacturedMaterial")
    code = find(material, "v:code")
    drug = sheet.concept(code)
    if not drug.get("text") and (name := words(find(material, "v:name"))):
        drug = {**drug, "text": name}
    if not drug and (said := sheet.said(node)):
        drug = {"text": said}
    return drug or absent_concept(code)


def dosage_of(sheet: Sheet, node: Element, when: Json) -> Json:
    """Dose, route, timing, and the words of the prescription."""
    amount: Json = {}
    if dose := _amount(node, "v:doseQuantity"):
        amount |= {"doseRange" if "low" in dose or "high" in dose else "doseQuantity": dose}
    if rate := _amount(node, "v:rateQuantity"):
        amount |= {"rateRange" if "low" in rate or "high" in rate else "rateQuantity": rate}
    found: Json = {
        "text": sheet.said(node),
        "patientInstruction": _instruction(sheet, node),
        "timing": when,
        "route": sheet.concept(find(node, "v:routeCode")),
        "site": sheet.concept(find(node, "v:approachSiteCode")),
        "doseAndRate": [amount] if amount else [],
    }
    most = find(node, "v:maxDoseQuantity")
    top, below = quantity(find(most, "v:numerator")), quantity(find(most, "v:denominator"))
    if top and below:
        found["maxDosePerPeriod"] = {"numerator": top, "denominator": below}
    if (condition := find(node, "v:precondition/v:criterion")) is not None:
        reason = sheet.concept(find(condition, "v:value")) or sheet.concept(find(condition, "v:code"))
        found |= {"asNeededCodeableConcept": reason} if reason else {"asNeededBoolean": True}
    return {key: value for key, value in found.items() if value not in (None, "", {}, [])}


def _amount(node: Element, path: str) -> Json:
    """A dose or a rate: a Quantity, or a Range of two."""
    given = find(node, path)
    if plain := quantity(given):
        return plain
    ends = (("low", quantity(find(given, "v:low"))), ("high", quantity(find(given, "v:high"))))
    return {key: value for key, value in ends if value}


def _instruction(sheet: Sheet, node: Element) -> str:
    found = related(node, codes.INSTRUCTION, "act")
    return sheet.said(found) if found is not None else ""
