"""Patients and coverages that do not fit."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, service


@breaks("PAT-001")
def born_later(claim: Json) -> None:
    contained(claim, "p")["birthDate"] = "2026-12-24"


@breaks("PAT-002")
def too_old(claim: Json) -> None:
    contained(claim, "p")["birthDate"] = "1880-01-01"


@breaks("PAT-003")
def dead(claim: Json) -> None:
    contained(claim, "p")["deceasedDateTime"] = "2025-01-01"


@breaks("PAT-004")
def not_self(claim: Json) -> None:
    contained(claim, "v")["relationship"]["coding"][0]["code"] = "spouse"


@breaks("PAT-005")
def no_relationship(claim: Json) -> None:
    del contained(claim, "v")["relationship"]


@breaks("PAT-006", also=("PAT-007",))
def no_state(claim: Json) -> None:
    contained(claim, "p")["address"][0]["state"] = "XX"


@breaks("PAT-007")
def other_state(claim: Json) -> None:
    contained(claim, "p")["address"][0]["postalCode"] = (
        "78701" if contained(claim, "p")["address"][0]["state"] != "TX" else "01103"
    )


@breaks("PAT-009")
def ended(claim: Json) -> None:
    contained(claim, "v")["period"]["end"] = "2025-12-31"


@breaks("PAT-010")
def digits(claim: Json) -> None:
    contained(claim, "p")["name"][0]["family"] = "Silva2"


@breaks("PAT-008")
def mother_as_newborn(claim: Json) -> None:
    service(claim, 0, "99461")
