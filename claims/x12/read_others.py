"""Other payers of an 837, what they paid and adjusted, as Coverage and ClaimResponse."""

from __future__ import annotations

from claims.x12.building import Json, coded, money, number
from claims.x12.loops import Loop
from claims.x12.segments import Segment
from fhir_profiles.systems import ADJUDICATION, X12_ADJUSTMENT_GROUPS, X12_ADJUSTMENT_REASONS


def adjustments(segment: Segment) -> list[Json]:
    """CAS: up to six reasons of one group."""
    group, found = segment.need(1), []
    for place in range(2, len(segment.elements), 3):
        if not segment.get(place):
            continue
        one: Json = {
            "category": coded(group, X12_ADJUSTMENT_GROUPS),
            "reason": coded(segment.get(place), X12_ADJUSTMENT_REASONS),
            "amount": money(segment.decimal(place + 1)),
        }
        if segment.get(place + 2):
            one["value"] = number(segment.decimal(place + 2))
        found.append(one)
    return found or segment.damaged("it holds no adjustment")


def benefit(amount: Segment, place: int) -> Json:
    """What was paid."""
    return {"category": coded("benefit", ADJUDICATION), "amount": money(amount.decimal(place))}


def response(other: Loop, lines: list[Loop], id: str) -> Json | None:
    """The ClaimResponse of another payer; None when nothing is said of one."""
    payer = other.party("PR")
    if payer is None:
        return other.head.damaged("no payer follows")
    of_claim = [one for segment in other.all("CAS") for one in adjustments(segment)]
    paid = other.first("AMT", "D")
    control = payer.first("REF", "F8")
    day = payer.first("DTP", "573")
    items = []
    for place, line in enumerate(lines, 1):
        for svd in line.others:
            if svd.head.need(1) != payer.head.need(9):
                continue
            adjudication = [benefit(svd.head, 2)] + [one for s in svd.all("CAS") for one in adjustments(s)]
            items.append({"itemSequence": place, "adjudication": adjudication})
            day = svd.first("DTP", "573") or day
    if not (of_claim or paid or control or day or items):
        return None
    found: Json = {
        "resourceType": "ClaimResponse", "id": id, "status": "active", "use": "claim", "outcome": "complete",
        "patient": {"reference": "#p"}, "insurer": {"reference": f"#{id}y"},
    }  # fmt: skip
    if control is not None:
        found["identifier"] = [{"value": control.need(2)}]
    if items:
        found["item"] = items
    if of_claim:
        found["adjudication"] = of_claim
    payment: Json = {}
    if day is not None:
        payment["date"] = day.days(3, day.get(2))[0]
        found["created"] = payment["date"]
    if paid is not None:
        payment["amount"] = money(paid.decimal(2))
    if payment:
        found["payment"] = payment
    return found
