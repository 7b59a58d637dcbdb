"""Several payers in disorder."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, answered, breaks, contained


@breaks("COB-001", also=("FMT-002",))
def two_first(claim: Json) -> None:
    claim["insurance"].append({"sequence": 1, "focal": False, "coverage": {"reference": "#w"}})


@breaks("COB-002")
def second_without_first(claim: Json) -> None:
    claim["insurance"][0]["focal"] = False
    claim["contained"].append({**contained(claim, "v"), "id": "w"})
    claim["insurance"].append({"sequence": 2, "focal": True, "coverage": {"reference": "#w"}})


@breaks("COB-006")
def at_work(claim: Json) -> None:
    claim["accident"] = {"date": "2026-01-01", "type": {"coding": [{"code": "WPA"}]}}


@breaks("COB-007", also=("FMT-002",))
def no_payment_date(claim: Json) -> None:
    claim["insurance"][0]["claimResponse"] = {"reference": "ClaimResponse/1"}


@breaks("COB-008", also=("FMT-002",))
def medicaid_first(claim: Json) -> None:
    contained(claim, "v")["type"]["coding"][0]["code"] = "MCAID"
    claim["insurance"].append({"sequence": 2, "focal": False, "coverage": {"reference": "#w"}})


@breaks("COB-003")
def unbalanced(claim: Json) -> None:
    charges = [round(line["net"]["value"] * 100) for line in claim["item"]]
    adjusted = {n: [("CO", "45", charge)] for n, charge in enumerate(charges, 1)}
    adjusted[1], adjusted[2] = [("CO", "45", charges[0] + 100)], [("CO", "45", charges[1] - 100)]
    answered(claim, 0, adjusted)


@breaks("COB-004")
def no_such_reason(claim: Json) -> None:
    charge = round(claim["total"]["value"] * 100)
    answered(claim, charge - 500, {0: [("CO", "ZZZ", 500)]})


@breaks("COB-005")
def second_for_no_reason(claim: Json) -> None:
    second = {**contained(claim, "v"), "id": "w", "type": {"coding": [{"code": "MEDICARE"}]}}
    claim["contained"].append(second)
    claim["insurance"].append({"sequence": 2, "focal": False, "coverage": {"reference": "#w"}})
