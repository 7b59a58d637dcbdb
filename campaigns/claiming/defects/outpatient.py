"""Lines of outpatient departments that do not fit each other."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, info, later, total


def coded(claim: Json, place: int, code: str) -> Json:
    """Another code for a line."""
    line: Json = claim["item"][place]
    line["productOrService"]["coding"][0]["code"] = code
    return line


@breaks("OUT-001", "outpatient")
def outside(claim: Json) -> None:
    claim["item"][1]["servicedDate"] = later(claim["billablePeriod"]["end"], -2)


@breaks("OUT-002", "outpatient", also=("EMV-003",))
def two_visits(claim: Json) -> None:
    coded(claim, 1, "99213")["revenue"]["coding"][0]["code"] = "0450"


@breaks("OUT-003", "outpatient")
def no_device(claim: Json) -> None:
    coded(claim, 1, "S0701")


@breaks("OUT-004", "outpatient")
def blood_alone(claim: Json) -> None:
    coded(claim, 1, "P9010")["revenue"]["coding"][0]["code"] = "0380"


@breaks("OUT-005", "outpatient")
def observed_only(claim: Json) -> None:
    coded(claim, 0, "G0378")


@breaks("OUT-006", "outpatient")
def no_service_of_the_day(claim: Json) -> None:
    info(claim, "condition", code={"coding": [{"code": "41"}]})


@breaks("OUT-007", "outpatient")
def no_indicator(claim: Json) -> None:
    coded(claim, 1, "S0702")


@breaks("OUT-008", "outpatient")
def terminated_twice(claim: Json) -> None:
    line = claim["item"][1]
    line["modifier"] = [{"coding": [{"code": "73"}]}]
    line["quantity"]["value"] = 2
    line["net"]["value"] = line["unitPrice"]["value"] * 2
    total(claim)


@breaks("POS-010", "outpatient")
def not_of_surgery_centres(claim: Json) -> None:
    claim["subType"]["coding"][0]["code"] = "0831"
