"""Visits that do not fit the patient, the day or each other."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, earlier, info, later, place, service, site
from campaigns.claiming.making import NPIS


def _visit(claim: Json, *codes: str) -> None:
    """These services, and nothing else that is a visit."""
    for number in range(3):
        service(claim, number, (*codes, "S0201", "S0212", "S0213")[number])


@breaks("EMV-001")
def seen_before(claim: Json) -> list[Json]:
    _visit(claim, "99204")
    return [earlier(claim, "99214", 900)]


@breaks("EMV-002")
def never_seen(claim: Json) -> list[Json]:
    _visit(claim, "99214")
    return []


@breaks("EMV-003")
def two_visits(claim: Json) -> None:
    _visit(claim, "99214", "99215")


@breaks("EMV-004")
def consultation(claim: Json) -> None:
    contained(claim, "y")["identifier"][0]["value"] = "N"
    _visit(claim, "99242")


@breaks("EMV-005")
def two_first_days(claim: Json) -> list[Json]:
    _hospital(claim, "99222")
    _stay(claim, 2)
    return [earlier(claim, "99221", 1)]


@breaks("EMV-006")
def no_stay_ends(claim: Json) -> None:
    _visit(claim, "99238")


@breaks("EMV-007")
def no_first_hour(claim: Json) -> None:
    _visit(claim, "99292")


@breaks("EMV-008")
def prolonged_alone(claim: Json) -> None:
    _visit(claim, "99417", "99214")


@breaks("EMV-009")
def problem_beside_prevention(claim: Json) -> None:
    contained(claim, "p")["birthDate"] = "1980-01-01"
    _visit(claim, "99214", "99396")


@breaks("EMV-010")
def child(claim: Json) -> None:
    contained(claim, "p")["birthDate"] = "1980-01-01"
    _visit(claim, "99394")


@breaks("EMV-011")
def too_soon(claim: Json) -> list[Json]:
    _visit(claim, "G0439")
    return [earlier(claim, "G0438", 200)]


def _hospital(claim: Json, code: str) -> None:
    site(claim, NPIS[2])
    place(claim, "21")
    _visit(claim, code)


def _stay(claim: Json, before: int) -> None:
    info(claim, "admissionperiod", timingPeriod={"start": later(claim["item"][0]["servicedDate"], -before)})


@breaks("EMV-012")
def highest_again(claim: Json) -> None:
    service(claim, 0, "99215")
    contained(claim, "r")["identifier"][0]["value"] = NPIS[5]
