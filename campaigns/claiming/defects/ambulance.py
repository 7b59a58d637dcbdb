"""Rides that are half told."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, service

AT = {"city": "Springfield", "state": "MA", "postalCode": "01103"}


@breaks("AMB-001")
def from_where(claim: Json) -> None:
    service(claim, 0, "A0429")["locationAddress"] = AT


@breaks("AMB-002")
def miles_alone(claim: Json) -> None:
    service(claim, 0, "A0425", "RH")["locationAddress"] = AT
