"""What a payer decided about a claim, read out of its ClaimResponse (https://hl7.org/fhir/R4/claimresponse.html).

Denied is a claim that is denied as a whole, or one with a line that got nothing although nobody else bears it: neither
the patient's share nor what the contract takes off is a denial.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CLAIM_CONTENT, X12_ADJUSTMENT_GROUPS

NO_DENIAL = frozenset(
    ("1", "2", "3", "23", "44", "45", "66", "94", "100", "101", "104", "131", "187", "223", "253", "276")
)
"""Reasons (CARC) that take something off without denying: the patient's share, other payers, contracts."""
SHARES = frozenset(("1", "2", "3", "23", "66", "100"))
"""Reasons for which somebody else pays: with one of them a line was allowed."""
_NOT_YET = ("Earlier payment reversed", "Predetermination, no payment", "Sent on to another payer")
_decoder = msgspec.json.Decoder()


class Decision(msgspec.Struct, frozen=True):
    """About the claim that is called `claim` (reference `Claim/id`) or `control` (its identifier), on a day."""

    claim: str | None
    control: str | None
    day: str
    denied: bool


def read_decision(body: bytes) -> Decision | None:
    """The decision; None for what decides nothing: our own answers, drafts, reversals, what is still pending.

    FhirError when it is no ClaimResponse.
    """
    try:
        one = _decoder.decode(body)
    except msgspec.DecodeError:
        one = None
    if not isinstance(one, dict) or one.get("resourceType") != "ClaimResponse":
        raise FhirError.of(Category.INCORRECT, "structure", "A ClaimResponse is expected")
    try:
        return _decision(one)
    except (AttributeError, TypeError, KeyError):
        text = "The ClaimResponse has elements of another form than R4 gives them"
        raise FhirError.of(Category.INCORRECT, "structure", text) from None


def _decision(one: Mapping[str, Any]) -> Decision | None:
    ours = any(identifier.get("system") == CLAIM_CONTENT for identifier in one.get("identifier", ()))
    if ours or one.get("use", "claim") != "claim" or one.get("status", "active") != "active":
        return None
    if one.get("outcome") in ("queued", "partial") or one.get("disposition") in _NOT_YET:
        return None
    request = one.get("request", {})
    reference, control = request.get("reference"), request.get("identifier", {}).get("value")
    claim = "/".join(reference.rsplit("/", 2)[-2:]) if reference else None
    if claim is None and control is None:
        return None
    lines = one.get("item", ())
    payment = (one.get("payment") or {}).get("amount", {}).get("value")
    denied = (
        one.get("disposition") == "Denied"
        or bool(one.get("error"))
        or any(_denied(line.get("adjudication", ()), None) for line in lines)
        or _denied(one.get("adjudication", ()), payment)
    )
    return Decision(claim, control, str(one.get("created", ""))[:10], denied)


def _denied(adjudications: Iterable[Mapping[str, Any]], paid: float | None) -> bool:
    """Whether nothing was paid, nobody else pays, and a reason denies."""
    reasons: set[str] = set()
    for one in adjudications:
        categories = {coding.get("code") for coding in one["category"].get("coding", ())}
        amount = one.get("amount", {}).get("value")
        if "benefit" in categories and amount is not None:
            paid = (paid or 0) + amount
        if (
            any(coding.get("system") == X12_ADJUSTMENT_GROUPS for coding in one["category"].get("coding", ()))
            and amount
        ):
            reasons |= {str(coding.get("code")) for coding in one.get("reason", {}).get("coding", ())}
    return paid == 0 and not reasons & SHARES and bool(reasons - NO_DENIAL)


def pair(decisions: Iterable[Decision], names: Mapping[str, int]) -> dict[int, Decision]:
    """Claim → the first decision about it; `names` says which claim is meant by a reference or an identifier."""
    found: dict[int, Decision] = {}
    for one in decisions:
        row = names.get(one.claim or "")
        row = names.get(one.control or "") if row is None else row
        if row is not None and row >= 0 and (row not in found or one.day < found[row].day):
            found[row] = one
    return found
