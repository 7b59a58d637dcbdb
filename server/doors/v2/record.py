"""AL1, DG1 and IN1: AllergyIntolerance, Condition, Coverage (http://hl7.org/fhir/uv/v2mappings)."""

from __future__ import annotations

from fhir_profiles.systems import (
    ALLERGY_CLINICAL,
    ALLERGY_VERIFICATION,
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    COVERAGE_CLASS,
    SUBSCRIBER_RELATIONSHIP,
    V2,
)

from .draft import Draft
from .parse import Segment
from .values import Json, code_system, identifier

_ALLERGY_KINDS = {"DA": "medication", "MA": "medication", "FA": "food", "EA": "environment", "PA": "environment"}
_SEVERITIES = {"SV": "severe", "MO": "moderate", "MI": "mild"}
_RELATIONS = {"SEL": "self", "18": "self", "01": "self", "SPO": "spouse", "CHD": "child", "PAR": "parent"}


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def allergies(draft: Draft, subject: str) -> None:
    """An AllergyIntolerance for each AL1."""
    context = draft.context
    for segment in context.message.all("AL1"):
        what = context.concept(segment.first(3))
        if what is None:
            context.note("AL1-3: An allergy without a substance is left out.")
            continue
        resource: Json = {
            "clinicalStatus": _coded(ALLERGY_CLINICAL, "active"),
            "verificationStatus": _coded(ALLERGY_VERIFICATION, "unconfirmed"),
            "code": what,
            "patient": {"reference": subject},
        }
        if kind := _ALLERGY_KINDS.get(segment.text(2)):
            resource["category"] = [kind]
        if since := context.time(segment.text(6), "AL1-6"):
            resource["onsetDateTime"] = since
        if shown := [{"text": one.whole} for one in segment.each(5)]:
            severity = _SEVERITIES.get(segment.text(4))
            resource["reaction"] = [{"manifestation": shown, **({"severity": severity} if severity else {})}]
        elif segment.text(4) == "SV":
            resource["criticality"] = "high"
        draft.add("AllergyIntolerance", (subject, segment.text(3, 3), segment.text(3) or segment.text(3, 2)), resource)


def diagnoses(draft: Draft, subject: str, stay: str | None) -> None:
    """A Condition for each DG1; those of a stay are listed in it."""
    context = draft.context
    listed = []
    for segment in context.message.all("DG1"):
        what = _diagnosis(draft, segment)
        if what is None:
            context.note("DG1-3: A diagnosis without a code and words is left out.")
            continue
        gone = segment.text(21) == "D"
        resource: Json = {
            "category": [_coded(CONDITION_CATEGORY, "encounter-diagnosis" if stay else "problem-list-item")],
            "code": what,
            "subject": {"reference": subject},
            "verificationStatus": _coded(CONDITION_VERIFICATION, _sure(segment)),
        }
        if not gone:
            resource["clinicalStatus"] = _coded(CONDITION_CLINICAL, "active")
        if stay:
            resource["encounter"] = {"reference": stay}
        if when := context.time(segment.text(5), "DG1-5"):
            resource["onsetDateTime"] = when
        if when := context.time(segment.text(19), "DG1-19"):
            resource["recordedDate"] = when
        key = (stay or subject, segment.text(20) or segment.text(3) or segment.whole(4))
        reference = draft.add("Condition", key, resource)
        if stay and not gone:
            listed.append(_in_stay(segment, reference))
    if stay and listed:
        draft.items[stay].resource["diagnosis"] = listed


def _diagnosis(draft: Draft, segment: Segment) -> Json | None:
    """DG1-3, whose system stands in DG1-2 and words in DG1-4 of old messages."""
    what = draft.context.concept(segment.first(3)) or {}
    if method := segment.text(2):
        for coding in what.get("coding", ()):
            coding.setdefault("system", code_system(method))
    if words := segment.whole(4):
        what.setdefault("text", words)
    return what or None


def _sure(segment: Segment) -> str:
    if segment.text(21) == "D":
        return "entered-in-error"
    return "confirmed" if segment.text(6).upper() in ("F", "") else "provisional"


def _in_stay(segment: Segment, reference: str) -> Json:
    found: Json = {"condition": {"reference": reference}}
    if kind := segment.text(6):
        found["use"] = _coded(f"{V2}0052", kind)
    if segment.text(15).isdigit() and int(segment.text(15)) > 0:
        found["rank"] = int(segment.text(15))
    return found


def coverages(draft: Draft, subject: str) -> None:
    """A Coverage for each IN1."""
    context = draft.context
    for number, segment in enumerate(context.message.all("IN1"), 1):
        payor: Json = {}
        if name := segment.text(4) or segment.text(2, 2):
            payor["display"] = name
        if known := identifier(context, segment.first(3)):
            payor["identifier"] = known
        if not payor:
            context.note("IN1-4: An insurance without a company is left out.")
            continue
        resource: Json = {"status": "active", "beneficiary": {"reference": subject}, "payor": [payor]}
        member = segment.text(49) or segment.text(36)
        if member:
            resource["subscriberId"] = member
        if relation := segment.text(17):
            code = _RELATIONS.get(relation.upper(), "other")
            resource["relationship"] = _coded(SUBSCRIBER_RELATIONSHIP, code)
        start, end = context.date(segment.text(12), "IN1-12"), context.date(segment.text(13), "IN1-13")
        if period := {key: value for key, value in (("start", start), ("end", end)) if value}:
            resource["period"] = period
        if kind := context.concept(segment.first(15), "0086"):
            resource["type"] = kind
        classes = (("group", 8, 9), ("plan", 2, 0))
        kept = [
            _class(kind, segment.text(at), segment.text(named) if named else segment.text(at, 2))
            for kind, at, named in classes
        ]
        if kept := [one for one in kept if one]:
            resource["class"] = kept
        order = segment.text(1)
        if order.isdigit() and int(order) > 0:
            resource["order"] = int(order)
        draft.add("Coverage", (subject, order or str(number)), resource)


def _class(kind: str, value: str, name: str) -> Json | None:
    if not value:
        return None
    return {"type": _coded(COVERAGE_CLASS, kind), "value": value, **({"name": name} if name else {})}
