"""Codes that are not, or that the fee schedule does not pay so."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, service


@breaks("PXV-001")
def no_code(claim: Json) -> None:
    service(claim, 0, "S9999")


@breaks("PXV-002", also=("PXV-017",))
def ended(claim: Json) -> None:
    service(claim, 0, "S9001")


@breaks("PXV-003")
def too_young(claim: Json) -> None:
    service(claim, 0, "S0310")


@breaks("PXV-004")
def other_sex(claim: Json) -> None:
    service(claim, 0, "S0311")


@breaks("PXV-005")
def bundled(claim: Json) -> None:
    service(claim, 0, "S0300")


@breaks("PXV-006")
def not_covered(claim: Json) -> None:
    service(claim, 0, "S0301")


@breaks("PXV-007")
def of_no_physician(claim: Json) -> None:
    service(claim, 0, "S0302")


@breaks("PXV-008")
def another_code(claim: Json) -> None:
    service(claim, 0, "S0303")


@breaks("PXV-009")
def charged_measure(claim: Json) -> None:
    service(claim, 0, "S0304")


@breaks("PXV-010")
def no_national_price(claim: Json) -> None:
    service(claim, 0, "S0305")


@breaks("PXV-011")
def not_alone(claim: Json) -> None:
    service(claim, 0, "S0306")


@breaks("PXV-012")
def without_minutes(claim: Json) -> None:
    service(claim, 0, "S0307")


@breaks("PXV-013")
def unlisted(claim: Json) -> None:
    service(claim, 0, "E1399")


@breaks("PXV-014")
def measure(claim: Json) -> None:
    service(claim, 0, "9001F")


@breaks("PXV-015")
def unnamed_drug(claim: Json) -> None:
    service(claim, 0, "J3490")


@breaks("PXV-016")
def no_trial(claim: Json) -> None:
    service(claim, 0, "S0201", "Q1")


@breaks("PXV-017", also=("PXV-002",))
def replaced(claim: Json) -> None:
    service(claim, 0, "S9002")


@breaks("PXV-018")
def only_inpatient(claim: Json) -> None:
    service(claim, 0, "S0312")


@breaks("PXV-019")
def unknown_team(claim: Json) -> None:
    service(claim, 0, "S0308")
