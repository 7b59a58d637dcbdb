"""A Condition or Procedure as a decision makes it (https://hl7.org/fhir/R4/condition.html)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from extractors.emit.ids import coded_id
from fhir_profiles.systems import (
    CODING_BASIS,
    CODING_REPLACED,
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    CONFIDENCE,
    DERIVATION_REFERENCE,
    EVIDENCE_BOX,
    ICD10CM,
    REVIEW_TAG,
)
from server.review.model import Json, Place, State
from server.review.read import STATES, coding_of

TAGS = {
    "accepted": "Accepted by a person",
    "rejected": "Rejected by a person",
    "replaced": "Replaced by a person",
    "added": "Added by a person",
}


class Refusal(NamedTuple):
    """What a reason to reject makes of a Condition; None: as it was."""

    display: str
    verification: str | None = "entered-in-error"
    clinical: str | None = None


REASONS: Mapping[str, Refusal] = {
    "not-documented": Refusal("Not documented"),
    "not-supported": Refusal("Not supported by what is documented"),
    "wrong-patient": Refusal("About another person"),
    "history-only": Refusal("Past, not treated now", "confirmed", "inactive"),
    "rule-out": Refusal("Ruled out, or only suspected", "refuted"),
    "duplicate": Refusal("Said by another code"),
    "not-reportable": Refusal("Present, but not to be reported", None),
    "other": Refusal("Other"),
}
"""Codes of CodeSystem rejection-reason."""


class Chosen(NamedTuple):
    """A code that a person chose and the terminology knows."""

    system: str
    code: str
    display: str
    edition: str

    def coding(self, extensions: list[Json]) -> Json:
        """It as a Coding."""
        parts = {"system": self.system, "version": self.edition, "code": self.code, "display": self.display}
        plain = {name: value for name, value in parts.items() if value}
        return {"extension": extensions, **plain} if extensions else plain


def tagged(resource: Mapping[str, Any], state: State | None) -> Json:
    """The resource as it may be written again, with the review tag of a state in place of those of other states."""
    stamped = ("versionId", "lastUpdated")
    meta = {name: value for name, value in (resource.get("meta") or {}).items() if name not in stamped}
    dropped = {*STATES, "suggested"} if state else set()
    tags = [t for t in meta.get("tag") or () if t.get("system") != REVIEW_TAG or t.get("code") not in dropped]
    if state and state != "suggested":
        tags.append({"system": REVIEW_TAG, "code": state, "display": TAGS[state]})
    meta = {**meta, "tag": tags} if tags else {name: value for name, value in meta.items() if name != "tag"}
    rest = {name: value for name, value in resource.items() if name not in ("resourceType", "id", "meta")}
    head: Json = {"resourceType": resource["resourceType"], "id": resource["id"]}
    return head | ({"meta": meta} if meta else {}) | rest


def accepted(resource: Mapping[str, Any], state: State = "accepted") -> Json:
    """It stands: a Condition is confirmed, a Procedure was done."""
    made = tagged(resource, state)
    if made["resourceType"] == "Procedure":
        return made | {"status": "completed"}
    made["verificationStatus"] = _status(CONDITION_VERIFICATION, "confirmed")
    made.setdefault("clinicalStatus", _status(CONDITION_CLINICAL, "active"))
    return made


def rejected(resource: Mapping[str, Any], reason: str) -> Json:
    """It does not stand, for a reason of REASONS."""
    made, refusal = tagged(resource, "rejected"), REASONS[reason]
    if made["resourceType"] == "Procedure":
        return made | {"status": "entered-in-error"}
    if refusal.verification:
        made["verificationStatus"] = _status(CONDITION_VERIFICATION, refusal.verification)
    if refusal.verification == "entered-in-error":
        made.pop("clinicalStatus", None)  # con-5: an error has none
    elif refusal.clinical or "clinicalStatus" not in made:
        made["clinicalStatus"] = _status(CONDITION_CLINICAL, refusal.clinical or "active")
    return made


def replaced(resource: Mapping[str, Any], chosen: Chosen) -> Json:
    """It stands under another code: the words that prove it stay, what the machine had is told."""
    made = accepted(resource, "replaced")
    before = coding_of(made) or {}
    every = before.get("extension") or []
    machines = [one for one in every if one["url"] in (CONFIDENCE, CODING_BASIS)]
    extensions = [one for one in every if one not in machines]
    if not any(one["url"] == CODING_REPLACED for one in extensions):
        machine = {name: value for name, value in before.items() if name != "extension"}
        told = {"extension": machines} if machines else {}
        extensions.append({"url": CODING_REPLACED, "valueCoding": told | machine})
    codings = [chosen.coding(extensions) if one is before else one for one in made["code"]["coding"]]
    return made | {"code": {**made["code"], "coding": codings}}


def added(document: str, chosen: Chosen, places: Iterable[Place], like: Mapping[str, Any]) -> Json:
    """A Condition or Procedure that a person adds; `like` has its subject, and its encounter and date if known."""
    kind = "Condition" if chosen.system == ICD10CM else "Procedure"
    id = coded_id(document.rpartition("/")[2], kind, chosen.system, chosen.code)
    extensions = evidence(document, places)
    said = " ".join(dict.fromkeys(place.text for place in places if place.text))
    made: Json = {"resourceType": kind, "id": id}
    if kind == "Condition":
        category = {"system": CONDITION_CATEGORY, "code": "encounter-diagnosis", "display": "Encounter Diagnosis"}
        made["category"] = [{"coding": [category]}]
    code: Json = {"coding": [chosen.coding(extensions)]}
    made |= {"code": code | ({"text": said} if said else {}), "subject": like["subject"]}
    made |= {"encounter": like["encounter"]} if "encounter" in like else {}
    if day := like.get("day"):
        made["recordedDate" if kind == "Condition" else "performedDateTime"] = day
    return accepted(made, "added")


def evidence(document: str, places: Iterable[Place]) -> list[Json]:
    """The extensions that say where words stand, as the pipeline writes them."""
    spans: dict[tuple[int, int], list[Place]] = {}
    for place in places:
        spans.setdefault((place.offset, place.length), []).append(place)
    told: list[Json] = []
    for (offset, length), boxes in spans.items():
        parts: list[Json] = [
            {"url": "reference", "valueReference": {"reference": document}},
            {"url": "path", "valueString": "DocumentReference.content[0].attachment"},
            {"url": "offset", "valueInteger": offset},
            {"url": "length", "valueInteger": length},
        ]
        told.append({"url": DERIVATION_REFERENCE, "extension": parts})
        told += [_box(place) for place in boxes if place.page is not None]
    return told


def _box(place: Place) -> Json:
    sides = {"left": place.left, "top": place.top, "width": place.width, "height": place.height}
    parts: list[Json] = [{"url": "page", "valuePositiveInt": place.page}]
    parts += [{"url": name, "valueDecimal": round(value, 5)} for name, value in sides.items()]
    parts += [{"url": "text", "valueString": place.text}] if place.text else []
    return {"url": EVIDENCE_BOX, "extension": parts}


def _status(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": code.replace("-", " ").capitalize()}]}
