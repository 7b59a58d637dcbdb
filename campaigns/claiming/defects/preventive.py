"""Screenings that come too soon, or are not told."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, earlier, service


@breaks("PRV-001")
def too_soon(claim: Json) -> list[Json]:
    service(claim, 0, "S0540")
    return [earlier(claim, "S0540", 100)]


@breaks("PRV-002")
def no_screening(claim: Json) -> None:
    service(claim, 0, "S0541")
