"""Templates of C-CDA by name, and codes that decide what a statement becomes (https://hl7.org/cda/us/ccda/)."""

from __future__ import annotations

from typing import Final

_ROOT = "2.16.840.1.113883.10.20.22.4."


def _entry(number: int) -> str:
    return f"{_ROOT}{number}"


PROBLEM_CONCERN: Final = _entry(3)
PROBLEM: Final = _entry(4)
PROBLEM_STATUS: Final = _entry(6)
ALLERGY: Final = _entry(7)
SEVERITY: Final = _entry(8)
REACTION: Final = _entry(9)
PROCEDURE_ACT: Final = _entry(12)
PROCEDURE_OBSERVATION: Final = _entry(13)
PROCEDURE: Final = _entry(14)
MEDICATION: Final = _entry(16)
SUPPLY_ORDER: Final = _entry(17)
INDICATION: Final = _entry(19)
INSTRUCTION: Final = _entry(20)
VITALS: Final = _entry(26)
VITAL: Final = _entry(27)
ALLERGY_STATUS: Final = _entry(28)
ALLERGY_CONCERN: Final = _entry(30)
AGE: Final = _entry(31)
DISCHARGE_DIAGNOSIS: Final = _entry(33)
ADMISSION_DIAGNOSIS: Final = _entry(34)
DISCHARGE_MEDICATION: Final = _entry(35)
ADMISSION_MEDICATION: Final = _entry(36)
SOCIAL: Final = _entry(38)
FAMILY: Final = _entry(45)
FAMILY_OBSERVATION: Final = _entry(46)
FAMILY_DEATH: Final = _entry(47)
ENCOUNTER: Final = _entry(49)
RESULTS: Final = _entry(1)
RESULT: Final = _entry(2)
IMMUNIZATION: Final = _entry(52)
REFUSAL: Final = _entry(53)
SMOKING: Final = _entry(78)
ENCOUNTER_DIAGNOSIS: Final = _entry(80)
TOBACCO: Final = _entry(85)
GOAL: Final = _entry(121)
HEALTH_CONCERN: Final = _entry(132)
CRITICALITY: Final = _entry(145)
PLANNED_ENCOUNTER: Final = _entry(40)
PLANNED_ACT: Final = _entry(39)
PLANNED_PROCEDURE: Final = _entry(41)
PLANNED_MEDICATION: Final = _entry(42)
PLANNED_OBSERVATION: Final = _entry(44)
PREGNANCY: Final = "2.16.840.1.113883.10.20.15.3.8"
BIRTH_SEX: Final = _entry(200)

# Codes of SNOMED CT as C-CDA names them, without its content
CLINICAL: Final = {
    "55561003": "active",
    "73425007": "inactive",
    "413322009": "resolved",
    "246455001": "recurrence",
    "255227004": "recurrence",
    "263855007": "relapse",
    "277022003": "remission",
}
SEVERITIES: Final = {
    "255604002": "mild",
    "371923003": "mild",
    "6736007": "moderate",
    "371924009": "moderate",
    "24484000": "severe",
    "399166001": "severe",
}
ALLERGY_KINDS: Final = {
    "416098002": ("allergy", "medication"),
    "59037007": ("intolerance", "medication"),
    "419511003": (None, "medication"),
    "414285001": ("allergy", "food"),
    "235719002": ("intolerance", "food"),
    "418471000": (None, "food"),
    "426232007": ("allergy", "environment"),
    "419199007": ("allergy", None),
    "420134006": (None, None),
    "418038007": (None, None),
    "232347008": ("allergy", None),
}
"""What an allergy observation's value says of type and category."""

NO_ALLERGY: Final = {
    "416098002": "409137002",
    "419511003": "409137002",
    "414285001": "429625007",
    "426232007": "428607008",
    "419199007": "716186003",
    "420134006": "716186003",
}
"""That kind of allergy, denied without naming a substance → the code that says so."""

NO_PROBLEM: Final = "160245001"
ANY_PROBLEM: Final = ("55607006", "404684003", "64572001")
"""`Problem`, `Clinical finding`, `Disease`: denied, they say that there is none at all."""
