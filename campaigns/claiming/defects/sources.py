"""Codes without evidence."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, info
from fhir_profiles.systems import CONFIDENCE


@breaks("SRC-001")
def no_evidence(claim: Json) -> None:
    claim["contained"].append({"resourceType": "DocumentReference", "id": "d", "status": "current"})
    info(claim, "attachment", valueReference={"reference": "#d"})


def proposed(claim: Json, sure: float) -> None:
    """A code that a program proposed."""
    coding = claim["item"][0]["productOrService"]["coding"][0]
    coding["extension"] = [{"url": CONFIDENCE, "valueDecimal": sure}]


@breaks("SRC-002", also=("SRC-003",))
def doubtful(claim: Json) -> None:
    proposed(claim, 0.2)


@breaks("SRC-003")
def not_confirmed(claim: Json) -> None:
    proposed(claim, 0.9)


@breaks("SRC-004")
def refuted(claim: Json) -> None:
    concept = claim["diagnosis"][1].pop("diagnosisCodeableConcept")
    status = {"coding": [{"code": "refuted"}]}
    claim["contained"].append({"resourceType": "Condition", "id": "n", "code": concept, "verificationStatus": status})
    claim["diagnosis"][1]["diagnosisReference"] = {"reference": "#n"}


@breaks("SRC-005")
def amended(claim: Json) -> None:
    claim["contained"].append({"resourceType": "DocumentReference", "id": "d", "status": "superseded"})
    info(claim, "other", valueReference={"reference": "#d"})
