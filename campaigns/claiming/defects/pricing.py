"""What a price needs and does not find."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, medicare, service
from fhir_profiles.systems import CLAIM_EXTENSIONS


@breaks("PRC-001")
def nowhere(claim: Json) -> None:
    claim["item"][0]["locationAddress"] = {"city": "Springfield", "state": "MA", "postalCode": "00000"}


@breaks("PRC-002")
def no_factor(claim: Json) -> None:
    claim["extension"] = [{"url": f"{CLAIM_EXTENSIONS}qualifying-apm", "valueBoolean": True}]


@breaks("PRC-003")
def no_row(claim: Json) -> None:
    service(claim, 0, "S0550", "26")


@breaks("PRC-005")
def capped(claim: Json) -> None:
    service(claim, 0, "S0007")


@breaks("PRC-006")
def takes_no_part(claim: Json) -> None:
    medicare(claim)
    claim["extension"] = [{"url": f"{CLAIM_EXTENSIONS}participating", "valueBoolean": False}]
