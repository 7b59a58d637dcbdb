"""Several payers in disorder."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained


@breaks("COB-001")
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


@breaks("COB-007")
def no_payment_date(claim: Json) -> None:
    claim["insurance"][0]["claimResponse"] = {"reference": "ClaimResponse/1"}


@breaks("COB-008")
def medicaid_first(claim: Json) -> None:
    contained(claim, "v")["type"]["coding"][0]["code"] = "MCAID"
    claim["insurance"].append({"sequence": 2, "focal": False, "coverage": {"reference": "#w"}})
