"""Other payers, what they paid and adjusted: loops 2320, 2330 and 2430 of an 837."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from claims.sheet.parties import NOBODY, Parties
from claims.sheet.reading import code_of
from claims.sheet.shapes import Claim, Party
from claims.sheet.values import cents
from claims.x12.account import payer, sbr
from claims.x12.codes import RELATIONSHIPS, Kind
from claims.x12.elements import Draft, decimal, segment, written
from claims.x12.names import named
from fhir_profiles.systems import ADJUDICATION, X12_ADJUSTMENT_GROUPS

GROUPS = frozenset({"CO", "CR", "OA", "PI", "PR"})
Json = dict[str, Any]


class Paid(NamedTuple):
    """What a payer paid for a line, and the segments that follow."""

    payer: str
    amount: str
    after: str


class Others(NamedTuple):
    """The loops of a claim, and what was paid for each line by its sequence number."""

    text: str
    lines: dict[int, list[Paid]]


NONE = Others("", {})


def others(draft: Draft, claim: Claim, near: Parties, kind: Kind) -> Others:
    """What the payers beside the one that is billed have to do with a claim."""
    if len(claim.insurance) < 2:
        return NONE
    ordered = sorted(claim.insurance, key=lambda one: one.sequence)
    focal = next((n for n, one in enumerate(ordered) if one.focal), 0)
    text, lines = "", dict[int, list[Paid]]()
    for rank, one in enumerate(ordered):
        if rank == focal:
            continue
        coverage = near.of(one.coverage)
        at = f"Claim.insurance[{one.sequence - 1}].coverage"
        relation = RELATIONSHIPS.get(code_of(coverage.relationship) or "", "G8")
        insured = near.of(claim.patient) if relation == "18" else near.of(coverage.subscriber)
        member = draft.number(coverage.subscriber_id, 80, f"{at}.subscriberId", "the number of the member")
        if member and len(member) < 2:
            member = draft.wrong(f"{at}.subscriberId", "The number of a member has at least two characters: correct it")
        if insured is NOBODY:
            draft.missing(f"{at}.subscriber", "who is insured")
        who_pays = payer(draft, None, near, one, coverage)
        number = who_pays.split("~")[0].rsplit("*", 1)[-1]
        response = near.of(one.claim_response) if one.claim_response else NOBODY
        text += sbr(draft, rank, coverage, kind, relation) + _adjusted(draft, response.adjudication, "ClaimResponse")
        text += _paid(draft, response) + segment("OI", "", "", "Y", "", "", "Y")
        text += named(draft, "IL", insured, at, "MI", member) + who_pays + _answered(draft, response)
        _lines(draft, response, number, lines)
    return Others(text, lines)


def _amount(draft: Draft, money: Any, element: str, signed: bool = False) -> str:
    value = money.get("value") if isinstance(money, dict) else None
    found, odd = cents(orjson.dumps(value)) if isinstance(value, int | float) else (None, True)
    if found is None or odd:
        return draft.wrong(element, "Not an amount in whole cents: correct it")
    return written(found) if signed else draft.cents(found, element)


def _paid(draft: Draft, response: Party) -> str:
    payment = response.payment if isinstance(response.payment, dict) else {}
    if "amount" not in payment:
        return ""
    return segment("AMT", "D", _amount(draft, payment["amount"], "ClaimResponse.payment.amount"))


def _answered(draft: Draft, response: Party) -> str:
    payment = response.payment if isinstance(response.payment, dict) else {}
    number = response.identifier[0].value if response.identifier else None
    day = draft.date(payment.get("date"), "ClaimResponse.payment.date")
    lines = [i for i in response.item or () if isinstance(i, dict)]
    text = segment("DTP", "573", "D8", day) if day and not lines else ""
    control = draft.number(number, 50, "ClaimResponse.identifier")
    return text + (segment("REF", "F8", control) if control else "")


def adjustments(adjudications: Any) -> list[Json]:
    """The adjudications that are adjustments with a group."""
    return [a for a in adjudications or () if isinstance(a, dict) and _code(a, "category", X12_ADJUSTMENT_GROUPS)]


def _code(one: Json, name: str, system: str | None = None) -> str | None:
    concept = one.get(name)
    for coding in (concept.get("coding") or ()) if isinstance(concept, dict) else ():
        if system is None or coding.get("system") == system:
            return str(coding.get("code"))
    return None


def _adjusted(draft: Draft, adjudications: Any, element: str) -> str:
    """CAS: for each group up to six reasons in a segment."""
    groups: dict[str, list[str]] = {}
    for one in adjustments(adjudications):
        group = _code(one, "category", X12_ADJUSTMENT_GROUPS) or ""
        if group not in GROUPS:
            draft.wrong(f"{element}.adjudication.category", "Not a group of adjustments that X12 knows: correct it")
        reason = draft.number(_code(one, "reason"), 5, f"{element}.adjudication.reason", "why it was adjusted")
        amount = _amount(draft, one.get("amount"), f"{element}.adjudication.amount", signed=True)
        units = one.get("value")
        groups.setdefault(group, []).append(
            "*".join((reason, amount, decimal(units) if isinstance(units, int | float) else ""))
        )
    return "".join(
        segment("CAS", group, *trios[n : n + 6]) for group, trios in groups.items() for n in range(0, len(trios), 6)
    )


def _lines(draft: Draft, response: Party, number: str, lines: dict[int, list[Paid]]) -> None:
    payment = response.payment if isinstance(response.payment, dict) else {}
    for item in response.item or ():
        if not isinstance(item, dict) or not isinstance(item.get("itemSequence"), int):
            continue
        paid: Json = next(
            (a for a in item.get("adjudication") or () if _code(a, "category", ADJUDICATION) == "benefit"), {}
        )
        amount = _amount(draft, paid.get("amount"), "ClaimResponse.item.adjudication.amount") if paid else "0"
        day = draft.date(payment.get("date"), "ClaimResponse.payment.date", "the day on which the other payer paid")
        after = _adjusted(draft, item.get("adjudication"), "ClaimResponse.item") + segment("DTP", "573", "D8", day)
        lines.setdefault(item["itemSequence"], []).append(Paid(number, amount, after))
