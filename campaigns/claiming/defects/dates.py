"""Dates that cannot be."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks


@breaks("DAT-001")
def no_such_day(claim: Json) -> None:
    claim["item"][1]["servicedDate"] = "2026-02-30"


@breaks("DAT-003")
def backwards(claim: Json) -> None:
    day = claim["item"][1].pop("servicedDate")
    claim["item"][1]["servicedPeriod"] = {"start": day, "end": "2026-01-01"}


@breaks("DAT-004")
def outside(claim: Json) -> None:
    claim["item"][1]["servicedDate"] = "2026-01-05"
