"""Drugs without their number, their injection or their price."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, drug, service, units
from campaigns.claiming.making import paid_by


def _given(claim: Json, code: str, *modifiers: str, ndc: str = "00000000001", many: float = 1) -> None:
    service(claim, 0, code, *modifiers)
    drug(claim, 0, ndc, many)
    for number in (1, 2):
        service(claim, number, ("S0201", "S0212")[number - 1])


@breaks("RXD-001")
def no_number(claim: Json) -> None:
    paid_by(claim, "medicaid")
    service(claim, 0, "S0510")


@breaks("RXD-002")
def of_another(claim: Json) -> None:
    paid_by(claim, "medicare")
    _given(claim, "S0510", ndc="00000000002")


@breaks("RXD-003")
def not_injected(claim: Json) -> None:
    _given(claim, "S0511")


@breaks("RXD-004")
def not_vaccinated(claim: Json) -> None:
    _given(claim, "S0512")


@breaks("RXD-005")
def part_of_a_vial(claim: Json) -> None:
    _given(claim, "S0151", "JW", many=7)
    units(claim, 0, 7)


@breaks("RXD-006")
def no_price(claim: Json) -> None:
    _given(claim, "S0513")
