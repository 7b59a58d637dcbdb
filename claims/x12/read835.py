"""Read an X12 remittance 835 (005010X221) as PaymentReconciliation and ClaimResponses; see docs/claims.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from claims.x12.building import Json, coded, money, number
from claims.x12.read_others import adjustments, benefit
from claims.x12.segments import Segment, Transaction, transactions
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import (
    ADJUDICATION,
    CLAIM_NUMBER,
    CLAIM_TYPE,
    NPI,
    PAYER_NUMBER,
    PAYMENT_EXTENT,
    PAYMENT_TYPE,
    X12_REMARKS,
)

_STATES = {
    "1": "Processed as primary", "2": "Processed as secondary", "3": "Processed as tertiary", "4": "Denied",
    "19": "Processed as primary and sent on", "20": "Processed as secondary and sent on",
    "21": "Processed as tertiary and sent on", "22": "Earlier payment reversed", "23": "Sent on to another payer",
    "25": "Predetermination, no payment",
}  # fmt: skip
_NAMES = frozenset(
    ("TRN", "CUR", "REF", "DTM", "N1", "N3", "N4", "PER", "RDM", "LX", "TS3", "TS2", "CAS", "NM1", "MIA", "MOA", "AMT",
     "QTY", "LQ", "BPR", "CLP", "SVC", "PLB")
)  # fmt: skip


class Remittance(NamedTuple):
    """One payment, and what was decided about each claim in it."""

    reconciliation: Json
    responses: list[Json]


@dataclass(slots=True)
class _Claim:
    head: Segment
    segments: list[Segment] = field(default_factory=list)
    services: list[list[Segment]] = field(default_factory=list)


def read_835(data: bytes) -> Iterator[Remittance]:
    """The payments of a file; FhirError with segment and position where it is damaged or no 835."""
    for transaction in transactions(data):
        if transaction.number != "835" or not transaction.guide.startswith("005010X221"):
            text = "Only an 835 (005010X221) is read as a remittance"
            raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
        yield _remittance(transaction)


def _parted(transaction: Transaction) -> tuple[list[Segment], list[_Claim], list[Segment]]:
    """The head, the claims and the adjustments of the provider."""
    head: list[Segment] = []
    claims: list[_Claim] = []
    balances: list[Segment] = []
    at = head
    for segment in transaction.segments[1:-1]:
        name = segment.name
        if name not in _NAMES:
            segment.damaged("an 835 has no such segment")
        if name == "PLB":
            balances.append(segment)
        elif balances or (name in ("SVC", "CAS") and not claims) or (name == "BPR" and head):
            segment.damaged("it stands in the wrong place")
        elif name == "CLP":
            claims.append(_Claim(segment))
            at = claims[-1].segments
        elif name == "SVC":
            at = [segment]
            claims[-1].services.append(at)
        elif name != "LX":
            at.append(segment)
    return head, claims, balances


def _first(segments: list[Segment], name: str, *qualifiers: str) -> Segment | None:
    return next((s for s in segments if s.name == name and (not qualifiers or s.get(1) in qualifiers)), None)


def _remittance(transaction: Transaction) -> Remittance:
    head, claims, balances = _parted(transaction)
    start = transaction.segments[0]
    payment, trace, payer = _first(head, "BPR"), _first(head, "TRN"), _first(head, "N1", "PR")
    if payment is None or trace is None or payer is None:
        return start.damaged("BPR, TRN or the payer does not follow")
    day = payment.day(payment.need(16), 16)
    made = _first(head, "DTM", "405")
    created = made.day(made.need(2), 2) if made else day
    insurer: Json = {"resourceType": "Organization", "id": "y", "name": payer.need(2)}
    payer_number = trace.get(3)
    if payer_number:
        insurer["identifier"] = [{"system": PAYER_NUMBER, "value": payer_number}]
    responses = [_response(one, insurer, created, day, trace.need(2)) for one in claims]
    paid = payment.decimal(2)
    found: Json = {
        "resourceType": "PaymentReconciliation", "contained": [insurer], "status": "active", "created": created,
        "paymentIssuer": {"reference": "#y"}, "outcome": "complete", "paymentDate": day, "paymentAmount": money(paid),
        "paymentIdentifier": {"value": trace.need(2)},
    }  # fmt: skip
    payee = _first(head, "N1", "PE")
    if payee is not None and payee.get(3) == "XX":
        found["requestor"] = {"identifier": {"system": NPI, "value": payee.need(4)}, "display": payee.get(2)}
    details = [_detail(one, day) for one in claims] + [one for segment in balances for one in _balance(segment)]
    if details:
        found["detail"] = details
    total = sum((one.head.decimal(4) for one in claims), Decimal(0))
    total -= sum((s.decimal(place) for s in balances for place in range(4, len(s.elements), 2)), Decimal(0))
    if total != paid:
        text = "The payment is not the sum of what the claims were paid less the adjustments of the provider"
        found["processNote"] = [{"type": "display", "text": text}]
    return Remittance(found, responses)


def _detail(claim: _Claim, day: str) -> Json:
    found: Json = {"type": coded("payment", PAYMENT_TYPE), "request": _request(claim)}
    if claim.head.get(7):
        found["response"] = {"identifier": {"value": claim.head.get(7)}}
    return {**found, "date": day, "amount": money(claim.head.decimal(4))}


def _balance(segment: Segment) -> list[Json]:
    """PLB: what was kept or added apart from any claim; kept amounts are below zero."""
    found = []
    for place in range(3, len(segment.elements) - 1, 2):
        parts = segment.split(place)
        one: Json = {"type": coded("adjustment", PAYMENT_TYPE), "identifier": {"value": parts[-1]}}
        one["type"]["text"] = parts[0]
        found.append({**one, "amount": money(-segment.decimal(place + 1))})
    return found or segment.damaged("it holds no adjustment")


def _request(claim: _Claim) -> Json:
    return {"identifier": {"system": CLAIM_NUMBER, "value": claim.head.need(1)}}


def _response(claim: _Claim, insurer: Json, created: str, day: str, trace: str) -> Json:
    head = claim.head
    patient: Json = {"resourceType": "Patient", "id": "p"}
    named = _first(claim.segments, "NM1", "QC")
    if named is not None and named.get(3):
        patient["name"] = [{"family": named.get(3), **({"given": [named.get(4)]} if named.get(4) else {})}]
    hospital = _first(claim.segments, "MIA") is not None or any(s[0].get(4) for s in claim.services)
    charged, paid = head.decimal(3), head.decimal(4)
    found: Json = {
        "resourceType": "ClaimResponse", "contained": [patient, insurer], "status": "active",
        "type": coded("institutional" if hospital else "professional", CLAIM_TYPE), "use": "claim",
        "patient": {"reference": "#p"}, "created": created, "insurer": {"reference": "#y"}, "request": _request(claim),
        "outcome": "complete", "disposition": _STATES.get(head.need(2), "Processed"),
    }  # fmt: skip
    if head.get(7):
        found["identifier"] = [{"value": head.get(7)}]
    adjusted = [one for s in claim.segments if s.name == "CAS" for one in adjustments(s)]
    if adjusted:
        found["adjudication"] = adjusted
    if claim.services:
        found["item"] = [_item(n, service) for n, service in enumerate(claim.services, 1)]
    found["total"] = [
        {"category": coded("submitted", ADJUDICATION), "amount": money(charged)},
        {"category": coded("benefit", ADJUDICATION), "amount": money(paid)},
    ]
    complete = coded("complete" if paid == charged else "partial", PAYMENT_EXTENT)
    found["payment"] = {"type": complete, "date": day, "amount": money(paid), "identifier": {"value": trace}}
    return found


def _item(place: int, service: list[Segment]) -> Json:
    head = service[0]
    numbered = _first(service, "REF", "6R")
    own = numbered.get(2) if numbered else ""
    adjudication: list[Json] = [
        {"category": coded("submitted", ADJUDICATION), "amount": money(head.decimal(2))}, benefit(head, 3)
    ]  # fmt: skip
    allowed = _first(service, "AMT", "B6")
    if allowed is not None:
        adjudication.append({"category": coded("eligible", ADJUDICATION), "amount": money(allowed.decimal(2))})
    adjudication += [one for s in service if s.name == "CAS" for one in adjustments(s)]
    remarks = [coded(s.need(2), X12_REMARKS) for s in service if s.name == "LQ" and s.get(1) == "HE"]
    adjudication += [{"category": {"text": "Remark"}, "reason": one} for one in remarks]
    found: Json = {"itemSequence": int(own) if own.isdigit() and 0 < int(own) < 1000 else place}
    if head.get(5):
        adjudication[1]["value"] = number(head.decimal(5))
    return {**found, "adjudication": adjudication}
