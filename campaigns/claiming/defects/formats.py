"""Code systems that nobody bills."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks


@breaks("FMT-003")
def other_system(claim: Json) -> None:
    claim["item"][0]["productOrService"]["coding"][0]["system"] = "http://snomed.info/sct"
