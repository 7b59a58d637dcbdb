"""The draft Claim that a coded document asks for (https://hl7.org/fhir/R4/claim.html).

Nothing is invented: no price, no coverage, no provider that the document does not name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, Required, TypedDict

from fhir_profiles.systems import (
    CLAIM_INFORMATION,
    CLAIM_TYPE,
    DATA_ABSENT,
    DIAGNOSIS_TYPE,
    PROCESS_PRIORITY,
)

MAX_DIAGNOSES = 12  # of a professional claim
MAX_POINTERS = 4  # of one item

Concept = Mapping[str, Any]  # a CodeableConcept
Reference = Mapping[str, Any]


class Line(TypedDict, total=False):
    """One service: what, how often, when, where; `diagnoses` are 1-based positions in the claim's, best first."""

    concept: Required[Concept]
    modifiers: Sequence[Concept]
    units: int
    serviced: date | None
    place: Concept | None
    diagnoses: Sequence[int]


def draft_claim(
    *,
    id: str,
    kind: Literal["professional", "institutional"],
    patient: Reference,
    created: str,
    provider: Reference | None = None,
    encounter: Reference | None = None,
    document: Reference | None = None,
    start: date | None = None,
    end: date | None = None,
    diagnoses: Sequence[Concept] = (),
    lines: Sequence[Line] = (),
) -> dict[str, Any]:
    """The Claim as a dict that is valid R4.

    `created` is a dateTime; `diagnoses` and `lines` are in claim order and only what a person would put forward. At
    most 12 diagnoses and 4 pointers of each line are kept, the first ones.
    """
    listed = [_diagnosis(n, concept) for n, concept in enumerate(diagnoses[:MAX_DIAGNOSES], 1)]
    claim: dict[str, Any] = {
        "resourceType": "Claim",
        "id": id,
        "status": "draft",
        "type": {"coding": [{"system": CLAIM_TYPE, "code": kind, "display": kind.capitalize()}]},
        "use": "claim",
        "patient": dict(patient),
        "created": created,
        "provider": dict(provider) if provider else _absent("Provider not stated in the document"),
        "priority": {"coding": [{"system": PROCESS_PRIORITY, "code": "normal"}]},
        "insurance": [{"sequence": 1, "focal": True, "coverage": _absent("Coverage not stated in the document")}],
    }
    if start:
        claim["billablePeriod"] = {"start": start.isoformat(), "end": (end or start).isoformat()}
    if document:
        claim["supportingInfo"] = [_attachment(document)]
    if listed:
        claim["diagnosis"] = listed
    if lines:
        claim["item"] = [_item(n, line, encounter, len(listed), bool(document)) for n, line in enumerate(lines, 1)]
    return claim


def _diagnosis(sequence: int, concept: Concept) -> dict[str, Any]:
    """A diagnosis; the first one is the principal."""
    out: dict[str, Any] = {"sequence": sequence, "diagnosisCodeableConcept": dict(concept)}
    if sequence == 1:
        out["type"] = [{"coding": [{"system": DIAGNOSIS_TYPE, "code": "principal", "display": "Principal Diagnosis"}]}]
    return out


def _item(sequence: int, line: Line, encounter: Reference | None, diagnoses: int, informed: bool) -> dict[str, Any]:
    """A service line; its pointers lead to diagnoses that stand on the claim."""
    pointers = [n for n in line.get("diagnoses", ()) if n <= diagnoses][:MAX_POINTERS]
    out: dict[str, Any] = {"sequence": sequence}
    if pointers:
        out["diagnosisSequence"] = pointers
    if informed:
        out["informationSequence"] = [1]
    out["productOrService"] = dict(line["concept"])
    if modifiers := line.get("modifiers"):
        out["modifier"] = [dict(modifier) for modifier in modifiers]
    if serviced := line.get("serviced"):
        out["servicedDate"] = serviced.isoformat()
    if place := line.get("place"):
        out["locationCodeableConcept"] = dict(place)
    out["quantity"] = {"value": line.get("units", 1)}
    if encounter:
        out["encounter"] = [dict(encounter)]
    return out


def _attachment(document: Reference) -> dict[str, Any]:
    """The document as supporting information."""
    category = {"coding": [{"system": CLAIM_INFORMATION, "code": "attachment", "display": "Attachment"}]}
    return {"sequence": 1, "category": category, "valueReference": dict(document)}


def _absent(display: str) -> dict[str, Any]:
    """A reference to somebody the document does not name: required by FHIR, not known, and said so."""
    return {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}], "display": display}
