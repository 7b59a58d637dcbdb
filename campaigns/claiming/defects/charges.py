"""Sums that are wrong."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, info, service, total
from fhir_profiles.systems import CLAIM_EXTENSIONS


@breaks("CHG-001")
def nothing(claim: Json) -> None:
    claim["item"][0]["net"]["value"] = claim["item"][0]["unitPrice"]["value"] = 0
    total(claim)


@breaks("CHG-002")
def wrong_product(claim: Json) -> None:
    claim["item"][0]["unitPrice"]["value"] = 1.11


@breaks("CHG-003")
def wrong_sum(claim: Json) -> None:
    claim["total"]["value"] = 1.11


@breaks("CHG-004")
def euro(claim: Json) -> None:
    claim["total"]["currency"] = "EUR"


@breaks("CHG-005")
def below_the_fee(claim: Json) -> None:
    claim["item"][0]["net"]["value"] = claim["item"][0]["unitPrice"]["value"] = 5
    total(claim)


@breaks("CHG-006")
def many_times_the_fee(claim: Json) -> None:
    service(claim, 0, "S0008")


@breaks("CHG-007")
def much(claim: Json) -> None:
    claim["item"][0]["net"]["value"] = claim["item"][0]["unitPrice"]["value"] = 30000
    total(claim)


@breaks("CHG-008")
def paid_too_much(claim: Json) -> None:
    info(claim, "patient-paid", valueQuantity={"value": 99999})


@breaks("CHG-009")
def noncovered(claim: Json) -> None:
    claim["item"][0]["extension"] = [
        {"url": f"{CLAIM_EXTENSIONS}noncovered", "valueMoney": {"value": 9999, "currency": "USD"}}
    ]
