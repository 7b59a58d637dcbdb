"""Diagnoses that cannot be so."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, item, service
from fhir_profiles.systems import ICD10


def coded(claim: Json, *codes: str) -> None:
    """These codes for the first diagnoses."""
    for one, code in zip(claim["diagnosis"], codes, strict=False):
        one["diagnosisCodeableConcept"]["coding"][0]["code"] = code


def patient(claim: Json, gender: str, born: str = "1995-01-01") -> None:
    """Another patient."""
    contained(claim, "p").update(gender=gender, birthDate=born)


@breaks("DXV-001")
def no_such_code(claim: Json) -> None:
    coded(claim, "I10", "Q00.Q")


@breaks("DXV-002")
def subdivided(claim: Json) -> None:
    coded(claim, "I10", "E78")


@breaks("DXV-003")
def withdrawn(claim: Json) -> None:
    coded(claim, "I10", "U07.0")


@breaks("DXV-004")
def other_system(claim: Json) -> None:
    claim["diagnosis"][1]["diagnosisCodeableConcept"]["coding"][0]["system"] = ICD10


@breaks("DXV-005")
def of_children(claim: Json) -> None:
    coded(claim, "F93.0")


@breaks("DXV-006")
def of_men(claim: Json) -> None:
    patient(claim, "female")
    coded(claim, "N40.0")


@breaks("DXV-007", also=("PTR-003",))
def cause_first(claim: Json) -> None:
    coded(claim, "W01.0XXA")


@breaks("DXV-008")
def manifestation_first(claim: Json) -> None:
    coded(claim, "F02.80")


@breaks("DXV-009")
def no_cause(claim: Json) -> None:
    coded(claim, "I10", "F02.80")


@breaks("DXV-010")
def excluded(claim: Json) -> None:
    coded(claim, "J44.9", "J45.909", "I10")


@breaks("DXV-011")
def unspecified(claim: Json) -> None:
    coded(claim, "L03.90")


@breaks("DXV-012")
def no_side(claim: Json) -> None:
    coded(claim, "M25.569")


@breaks("DXV-013")
def other_side(claim: Json) -> None:
    coded(claim, "M25.562", "I10", "K21.9")
    line = next(one for one in claim["item"] if "diagnosisSequence" in one)
    line["diagnosisSequence"] = [1, 2, 3]
    line["modifier"] = [{"coding": [{"code": "RT"}]}]


@breaks("DXV-014", "inpatient")
def unacceptable(claim: Json) -> None:
    coded(claim, "R65.20")


@breaks("DXV-015", "inpatient")
def questionable(claim: Json) -> None:
    coded(claim, "R69")


@breaks("DXV-016")
def twice(claim: Json) -> None:
    coded(claim, "K21.9", "I10", "I10")


@breaks("DXV-017")
def six_characters(claim: Json) -> None:
    coded(claim, "S52.501")


@breaks("DXV-018")
def first_treatment_after(claim: Json) -> None:
    coded(claim, "S52.501A", "Z47.1")


@breaks("DXV-019")
def cause_unknown(claim: Json) -> None:
    contained(claim, "y")["identifier"][0]["value"] = "X"
    coded(claim, "S52.501A")


@breaks("DXV-020")
def no_stage(claim: Json) -> None:
    coded(claim, "I12.9")


@breaks("DXV-021")
def index_alone(claim: Json) -> None:
    coded(claim, "I10", "Z68.41")


@breaks("DXV-022")
def no_outcome(claim: Json) -> None:
    patient(claim, "female")
    coded(claim, "O80", "Z3A.39")
    service(claim, 0, "59400")


@breaks("DXV-023")
def no_weeks(claim: Json) -> None:
    patient(claim, "female")
    coded(claim, "O26.91")


@breaks("DXV-024")
def pregnant_man(claim: Json) -> None:
    patient(claim, "male")
    coded(claim, "O26.91", "Z3A.39")


@breaks("DXV-025")
def grown_newborn(claim: Json) -> None:
    coded(claim, "P07.30")


@breaks("DXV-026")
def status_first(claim: Json) -> None:
    coded(claim, "Z79.4")


@breaks("DXV-027")
def symptom_of_disease(claim: Json) -> None:
    coded(claim, "I21.4", "R07.9", "K21.9")


@breaks("DXV-028")
def two_types(claim: Json) -> None:
    coded(claim, "E11.9", "E10.9")


@breaks("DXV-029")
def apart(claim: Json) -> None:
    coded(claim, "I10", "N18.31")


@breaks("DXV-030", "inpatient")
def unknown_at_admission(claim: Json) -> None:
    del claim["diagnosis"][1]["onAdmission"]


@breaks("DXV-031")
def not_covered(claim: Json) -> None:
    item(claim, "S0740")
