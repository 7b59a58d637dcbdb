"""Code systems that nobody bills."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, answered, breaks, contained


@breaks("FMT-003")
def other_system(claim: Json) -> None:
    claim["item"][0]["productOrService"]["coding"][0]["system"] = "http://snomed.info/sct"


@breaks("FMT-002")
def nowhere(claim: Json) -> None:
    claim["facility"] = {"reference": "#nowhere"}


@breaks("FMT-004")
def delimiter(claim: Json) -> None:
    contained(claim, "y")["name"] = "Example*Plan"


@breaks("FMT-007")
def long_name(claim: Json) -> None:
    contained(claim, "p")["name"][0]["family"] = "A" * 61


@breaks("FMT-008")
def unbalanced(claim: Json) -> None:
    answered(claim, 2000, {0: [("CO", "45", 500)]})


@breaks("FMT-010")
def no_such_specialty(claim: Json) -> None:
    claim["careTeam"][0]["qualification"]["coding"][0]["code"] = "999X00000X"
