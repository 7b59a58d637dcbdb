"""Services in the wrong place."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, item, place


@breaks("POS-001")
def no_such_place(claim: Json) -> None:
    place(claim, "98")


@breaks("POS-002")
def not_there(claim: Json) -> None:
    item(claim, "S0001")


@breaks("POS-003")
def hospital_visit_in_office(claim: Json) -> None:
    item(claim, "99221")


@breaks("POS-004", also=("DAT-008", "POS-008"))
def office_visit_in_hospital(claim: Json) -> None:
    item(claim, "99213")
    place(claim, "21")


@breaks("POS-005")
def emergency_visit_in_office(claim: Json) -> None:
    item(claim, "99284")


@breaks("POS-006", also=("POS-008",))
def incident_to(claim: Json) -> None:
    item(claim, "S0002")
    place(claim, "22")


@breaks("POS-007", also=("POS-008",))
def technical_part(claim: Json) -> None:
    item(claim, "S0003")
    place(claim, "22")


@breaks("POS-008")
def no_facility(claim: Json) -> None:
    place(claim, "22")


@breaks("POS-009", "inpatient")
def room_at_home(claim: Json) -> None:
    claim["item"][0]["locationCodeableConcept"] = {"coding": [{"code": "12"}]}
