"""Problem concerns and diagnoses to Condition (https://hl7.org/fhir/us/ccda/CF-problems.html)."""

from __future__ import annotations

from fhir_profiles.systems import (
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    SNOMED,
    US_CORE_CONDITION_CATEGORY,
)

from . import codes, times
from .sheet import Sheet, is_negated, related
from .tree import Element, attribute, every, find
from .values import Json, absent_concept, absent_extension

_CATEGORIES = {
    "46240-8": "encounter-diagnosis",
    "46241-6": "encounter-diagnosis",
    "11535-2": "encounter-diagnosis",
    "10219-4": "encounter-diagnosis",
    "10218-6": "encounter-diagnosis",
    "75310-3": "health-concern",
}
"""LOINC code of a section → the category of its conditions, where they are no problem list."""


def problem_concern(sheet: Sheet, act: Element) -> list[dict[str, str]]:
    """Each problem of a concern or of a diagnosis act; their References."""
    found = [one for one in every(act, "v:entryRelationship/v:observation") if find(one, "v:value") is not None]
    if not found:
        sheet.left("a problem concern without a problem")
    return [problem(sheet, observation, act) for observation in found]


def problem(sheet: Sheet, node: Element, concern: Element | None = None) -> dict[str, str]:
    """One problem, denied ones too."""
    value = find(node, "v:value")
    code = sheet.concept(value)
    denied = is_negated(node)
    if denied and attribute(value, ".", "code") in codes.ANY_PROBLEM:
        code, denied = {"coding": [{"system": SNOMED, "code": codes.NO_PROBLEM}]}, False
    if not code:
        said = sheet.said(node)
        code = {"text": said} if said else absent_concept(value)
    when = find(node, "v:effectiveTime")
    start, end = times.span(when, sheet.notes)
    status = _status(node, concern, end is not None or times.is_open(when))
    written, author = sheet.recorded_of(node)
    category = _CATEGORIES.get(sheet.section, "problem-list-item")
    system = US_CORE_CONDITION_CATEGORY if category == "health-concern" else CONDITION_CATEGORY
    content: Json = {
        "clinicalStatus": {"coding": [{"system": CONDITION_CLINICAL, "code": status}]},
        "verificationStatus": {
            "coding": [{"system": CONDITION_VERIFICATION, "code": "refuted" if denied else "confirmed"}]
        },
        "category": [{"coding": [{"system": system, "code": category}]}],
        "code": code,
        "encounter": sheet.encounter if category == "encounter-diagnosis" else None,
        "onsetDateTime": start,
        "recordedDate": written,
        "recorder": author if author and sheet.is_person(author) else None,
        "severity": sheet.concept(find(related(node, codes.SEVERITY), "v:value")),
    }
    if site := [one for one in (sheet.concept(each) for each in every(node, "v:targetSiteCode")) if one]:
        content["bodySite"] = site
    if end:
        content["abatementDateTime"] = end
    elif times.is_open(when):
        content["_abatementDateTime"] = absent_extension(find(when, "v:high"))
    return sheet.entry("Condition", node, content)


def _status(node: Element, concern: Element | None, is_over: bool) -> str:
    """The status that is told, unless an end tells otherwise."""
    told = related(node, codes.PROBLEM_STATUS)
    status = codes.CLINICAL.get(attribute(told, "v:value", "code"))
    if is_over and status not in ("inactive", "remission"):
        return "resolved"
    if status:
        return status
    stopped = concern is not None and attribute(concern, "v:statusCode", "code") in ("suspended", "aborted")
    return "inactive" if stopped else "active"
