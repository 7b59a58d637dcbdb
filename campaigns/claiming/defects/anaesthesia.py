"""Anaesthesia without minutes, company or base units."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, earlier, service
from campaigns.claiming.making import NPIS


def _minutes(claim: Json, number: int, code: str, *modifiers: str) -> None:
    line = service(claim, number, code, *modifiers)
    line["quantity"] = {"value": 1, "code": "min"}


@breaks("ANE-001")
def no_minutes(claim: Json) -> None:
    service(claim, 0, "00300", "AA")


@breaks("ANE-002")
def directed_by_nobody(claim: Json) -> list[Json]:
    _minutes(claim, 0, "00300", "QX")
    return [earlier(claim, "00300", mods=["QZ"], provider_npi=NPIS[5])]


@breaks("ANE-003")
def status(claim: Json) -> None:
    _minutes(claim, 0, "00300", "AA", "P3")


@breaks("ANE-004")
def two(claim: Json) -> None:
    _minutes(claim, 0, "00300", "AA")
    _minutes(claim, 1, "00400", "AA")


@breaks("ANE-005")
def no_units(claim: Json) -> None:
    _minutes(claim, 0, "00812", "AA")
