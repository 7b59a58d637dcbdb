"""Tests without a certificate, or of another laboratory."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, extend, info, service


@breaks("LAB-001")
def no_certificate(claim: Json) -> None:
    service(claim, 0, "S0520")


@breaks("LAB-002")
def waived(claim: Json) -> None:
    info(claim, "clia", valueString="22D1234567")
    service(claim, 0, "S0521")


@breaks("LAB-003")
def done_elsewhere(claim: Json) -> None:
    service(claim, 0, "S0201", "90")


@breaks("LAB-004")
def bought_from_nobody(claim: Json) -> None:
    extend(claim, 0, "purchased", valueMoney={"value": 10, "currency": "USD"})


@breaks("LAB-005")
def unnamed(claim: Json) -> None:
    contained(claim, "y")["identifier"][0]["value"] = "M"
    service(claim, 0, "81400")


@breaks("LAB-006")
def drawn_twice(claim: Json) -> None:
    for number, code in enumerate(("36415", "36416", "S0201")):
        service(claim, number, code)
