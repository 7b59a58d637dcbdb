"""What a price needs and does not find."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, service, total
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


@breaks("PRC-004")
def cheap_drug(claim: Json) -> None:
    service(claim, 0, "S0514")
    claim["item"][0]["net"]["value"] = claim["item"][0]["unitPrice"]["value"] = 1.0
    total(claim)


@breaks("PRC-005")
def capped(claim: Json) -> None:
    service(claim, 0, "S0007")


@breaks("PRC-006")
def takes_no_part(claim: Json) -> None:
    claim["extension"] = [{"url": f"{CLAIM_EXTENSIONS}participating", "valueBoolean": False}]
