"""Pointers that lead nowhere."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks


@breaks("PTR-001", also=("PTR-005",))
def nowhere(claim: Json) -> None:
    claim["item"][0]["diagnosisSequence"] = [9]


@breaks("PTR-002", also=("PTR-005",))
def no_pointer(claim: Json) -> None:
    claim["item"][0]["diagnosisSequence"] = []


@breaks("PTR-003", also=("DXV-018", "DXV-019"))
def external_first(claim: Json) -> None:
    claim["diagnosis"][1]["diagnosisCodeableConcept"]["coding"][0]["code"] = "W19.XXXA"
    claim["item"][0]["diagnosisSequence"] = [2, 1, 3]


@breaks("PTR-004")
def twice(claim: Json) -> None:
    claim["item"][0]["diagnosisSequence"] = [1, 1, 2, 3]


@breaks("PTR-005")
def unused(claim: Json) -> None:
    for one in claim["item"]:
        one["diagnosisSequence"] = [1, 2]


@breaks("PTR-006")
def no_member(claim: Json) -> None:
    claim["item"][0]["careTeamSequence"] = [7]


@breaks("PTR-007")
def no_info(claim: Json) -> None:
    claim["item"][0]["informationSequence"] = [7]
