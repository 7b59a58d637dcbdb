"""Claims that come late."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, info, later, received


@breaks("TFL-001")
def late(claim: Json) -> None:
    received(claim, "2028-01-01")
    info(claim, "delay-reason", valueString="1")


@breaks("TFL-002")
def nearly_late(claim: Json) -> None:
    received(claim, later(claim["item"][0]["servicedDate"], 350))


@breaks("TFL-003", also=("TFL-001",))
def late_correction(claim: Json) -> None:
    received(claim, "2028-01-01")
    info(claim, "delay-reason", valueString="1")
    claim["related"] = [{"relationship": {"coding": [{"code": "7"}]}, "reference": {"value": "X1"}}]


@breaks("TFL-004", also=("TFL-001",))
def late_without_reason(claim: Json) -> None:
    received(claim, "2028-01-01")
