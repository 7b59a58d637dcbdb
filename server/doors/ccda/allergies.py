"""Allergy concerns to AllergyIntolerance (https://hl7.org/fhir/us/ccda/CF-allergies.html)."""

from __future__ import annotations

from fhir_profiles.systems import ALLERGY_CLINICAL, ALLERGY_VERIFICATION, SNOMED

from . import codes, times
from .sheet import Sheet, is_negated, related
from .tree import Element, attribute, every, find, templates, words
from .values import Json, absent_concept, concept_or_absent


def allergy_concern(sheet: Sheet, act: Element) -> None:
    """Each allergy of a concern."""
    found = [one for one in every(act, "v:entryRelationship/v:observation") if _is_allergy(one)]
    for observation in found:
        allergy(sheet, observation, act)
    if not found:
        sheet.left("an allergy concern without an allergy")


def _is_allergy(node: Element) -> bool:
    return codes.ALLERGY in templates(node) or find(node, "v:participant/v:participantRole") is not None


def allergy(sheet: Sheet, node: Element, concern: Element | None = None) -> None:
    """One allergy, denied ones too."""
    kind = attribute(node, "v:value", "code")
    type_, category = codes.ALLERGY_KINDS.get(kind, (None, None))
    substance = find(node, "v:participant/v:participantRole/v:playingEntity")
    code = sheet.concept(find(substance, "v:code"))
    if not code and (name := words(find(substance, "v:name"))):
        code = {"text": name}
    verification = "confirmed"
    if is_negated(node):
        if code.get("coding"):
            verification = "refuted"
        else:
            code = {"coding": [{"system": SNOMED, "code": codes.NO_ALLERGY.get(kind, "716186003")}], **code}
    elif not code:
        said = sheet.said(node)
        code = {"text": said} if said else absent_concept(find(substance, "v:code"))
    start, end = times.span(find(node, "v:effectiveTime"), sheet.notes)
    written, author = sheet.recorded_of(node)
    content: Json = {
        "clinicalStatus": _fixed(ALLERGY_CLINICAL, _status(node, concern, end)),
        "verificationStatus": _fixed(ALLERGY_VERIFICATION, verification),
        "type": type_,
        "category": [category] if category else [],
        "criticality": _criticality(node),
        "code": code,
        "onsetDateTime": start,
        "recordedDate": written,
        "recorder": author if author and sheet.is_person(author) else None,
        "reaction": _reactions(sheet, node),
    }
    if end:
        content["note"] = [{"text": f"Until {end}"}]
    sheet.entry("AllergyIntolerance", node, content, "patient")


def _fixed(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _status(node: Element, concern: Element | None, end: str | None) -> str:
    told = related(node, codes.ALLERGY_STATUS)
    status = codes.CLINICAL.get(attribute(told, "v:value", "code"), "")
    if status in ("active", "inactive", "resolved"):
        return status
    if end or times.is_open(find(node, "v:effectiveTime")):
        return "resolved"
    return "inactive" if attribute(concern, "v:statusCode", "code") in ("suspended", "aborted") else "active"


def _criticality(node: Element) -> str | None:
    told = attribute(related(node, codes.CRITICALITY), "v:value", "code")
    return {"CRITL": "low", "CRITH": "high", "CRITU": "unable-to-assess"}.get(told)


def _reactions(sheet: Sheet, node: Element) -> list[Json]:
    overall = _severity(node)
    made = []
    for reaction in every(node, "v:entryRelationship/v:observation"):
        if codes.REACTION not in templates(reaction) or is_negated(reaction):
            continue
        one: Json = {"manifestation": [concept_or_absent(find(reaction, "v:value"), sheet.texts)]}
        start, _ = times.span(find(reaction, "v:effectiveTime"), sheet.notes)
        if start:
            one["onset"] = start
        if severity := _severity(reaction) or overall:
            one["severity"] = severity
        made.append(one)
    return made


def _severity(node: Element) -> str | None:
    return codes.SEVERITIES.get(attribute(related(node, codes.SEVERITY), "v:value", "code"))
