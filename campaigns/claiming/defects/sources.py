"""Codes without evidence."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, info


@breaks("SRC-001")
def no_evidence(claim: Json) -> None:
    info(claim, "attachment", valueReference={"reference": "DocumentReference/1"})
