"""What is missing."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from copy import deepcopy

from campaigns.claiming.defects.defect import Json, breaks, contained
from fhir_profiles.systems import ICD10CM


@breaks("REQ-001")
def no_priority(claim: Json) -> None:
    del claim["priority"]


@breaks("REQ-002")
def no_number(claim: Json) -> None:
    del claim["identifier"]


@breaks("REQ-003")
def no_given_name(claim: Json) -> None:
    del contained(claim, "p")["name"][0]["given"]


@breaks("REQ-004")
def no_birth_date(claim: Json) -> None:
    del contained(claim, "p")["birthDate"]


@breaks("REQ-005")
def other_gender(claim: Json) -> None:
    contained(claim, "p")["gender"] = "other"


@breaks("REQ-006")
def no_street(claim: Json) -> None:
    del contained(claim, "p")["address"][0]["line"]


@breaks("REQ-007")
def box(claim: Json) -> None:
    contained(claim, "o")["address"][0]["line"] = ["P.O. Box 17"]


@breaks("REQ-008")
def short_zip(claim: Json) -> None:
    contained(claim, "o")["address"][0]["postalCode"] = "01103"


@breaks("REQ-009")
def no_payer_number(claim: Json) -> None:
    del contained(claim, "y")["identifier"]


@breaks("REQ-010", also=("COB-002",))
def two_focal(claim: Json) -> None:
    claim["insurance"].append({**claim["insurance"][0], "sequence": 2})


@breaks("REQ-011", also=("CHG-003",))
def no_lines(claim: Json) -> None:
    claim["item"] = []


@breaks("REQ-012", also=("CHG-003", "DUP-001"))
def many_lines(claim: Json) -> None:
    claim["item"] = [{**deepcopy(claim["item"][0]), "sequence": n} for n in range(1, 52)]


@breaks("REQ-013")
def gap(claim: Json) -> None:
    claim["item"][2]["sequence"] = 4


@breaks("REQ-014")
def no_code(claim: Json) -> None:
    del claim["item"][1]["productOrService"]["coding"]


@breaks("REQ-015")
def no_date(claim: Json) -> None:
    del claim["item"][1]["servicedDate"]


@breaks("REQ-016")
def no_charge(claim: Json) -> None:
    claim["total"]["value"] = round(claim["total"]["value"] - claim["item"][1].pop("net")["value"], 2)


@breaks("REQ-017", also=("UNT-001",))
def no_units(claim: Json) -> None:
    del claim["item"][1]["quantity"]["value"]


@breaks("REQ-018")
def no_place(claim: Json) -> None:
    del claim["item"][1]["locationCodeableConcept"]


@breaks("REQ-019", "outpatient")
def no_principal(claim: Json) -> None:
    del claim["diagnosis"][0]["type"]


@breaks("REQ-020", also=("PTR-005", "DXV-001"))
def many_diagnoses(claim: Json) -> None:
    claim["diagnosis"] += [
        {
            **claim["diagnosis"][1],
            "sequence": n,
            "diagnosisCodeableConcept": {"coding": [{"system": ICD10CM, "code": f"Z{n}"}]},
        }
        for n in range(4, 14)
    ]


@breaks("REQ-021")
def paid_elsewhere(claim: Json) -> None:
    claim["payee"] = {"type": {"coding": [{"code": "other"}]}}


@breaks("REQ-022")
def accident_without_date(claim: Json) -> None:
    claim["accident"] = {"type": {"coding": [{"code": "HHACC"}]}}


@breaks("REQ-023")
def replaces_nothing(claim: Json) -> None:
    claim["related"] = [{"relationship": {"coding": [{"code": "7"}]}}]
