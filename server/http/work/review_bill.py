"""The claim of a review as it stands: its lines, what a payer would reject of it, and what it is worth.

https://hl7.org/fhir/R4/claim-operation-submit.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from server.review.model import Json, Stop, Suggestion
from server.review.stops import stops_of

from .desk import Desk
from .review_open import LETTERS, Opened

ORDER = {"hard": 0, "soft": 1, "told": 2}
SHOWN, UNFOLDED = 40, 3
"""Stops that are told at all, and those that are unfolded without being asked for."""


class Line(NamedTuple):
    """A line of the claim."""

    code: str
    display: str
    modifiers: str
    units: str
    pointers: str
    expected: str


class Told(NamedTuple):
    """A diagnosis of the claim under its letter."""

    letter: str
    code: str
    display: str
    undecided: bool


class Bill(NamedTuple):
    """What the claim's panel shows."""

    stops: list[Stop]
    hards: int
    softs: int
    more: int
    open: bool
    """Whether the stops are unfolded."""
    charged: str
    expected: str
    why: str
    lines: list[Line]
    diagnoses: list[Told]
    not_run: int
    changed: bool
    every: tuple[Stop, ...]


async def bill_of(desk: Desk, open: Opened, before: str | None = None) -> Bill:
    """The claim of an opened document, scrubbed and priced without being stored; `before` is the total it had."""
    response: Json | None = None
    refused = ""
    if open.claim:
        answer = await desk.send("POST", "Claim/$submit", {"preview": "true"}, open.claim)
        response, refused = (answer.json(), "") if answer.ok else (None, answer.told())
    stops = stops_of(open.review, response)
    shown = sorted((one for one in stops if one.severity != "told"), key=lambda one: ORDER[one.severity])
    expected = _total(response, "eligible")
    return Bill(
        stops=shown[:SHOWN],
        hards=(hards := sum(one.severity == "hard" for one in stops)),
        softs=len(shown) - hards,
        more=max(0, len(shown) - SHOWN),
        open=0 < len(shown) <= UNFOLDED,
        charged=_total(response, "submitted"),
        expected=expected,
        why=refused or ("" if expected else _why(response)),
        lines=_lines(open, response),
        diagnoses=_diagnoses(open),
        not_run=sum(one.severity == "told" for one in stops),
        changed=before is not None and before != expected,
        every=tuple(stops),
    )


def _total(response: Mapping[str, Any] | None, category: str) -> str:
    """One of the totals, as money."""
    for one in (response or {}).get("total") or ():
        if category in _codes(one.get("category")):
            return _money(one.get("amount"))
    return ""


def _why(response: Mapping[str, Any] | None) -> str:
    """Why there is no price: the first reason that a line gives."""
    for item in (response or {}).get("item") or ():
        for one in item.get("adjudication") or ():
            if "eligible" in _codes(one.get("category")) and (reason := one.get("reason")):
                return str(reason.get("text") or next((c.get("display", "") for c in reason.get("coding") or ()), ""))
    return ""


def _lines(open: Opened, response: Mapping[str, Any] | None) -> list[Line]:
    prices = {
        item.get("itemSequence"): _money(one.get("amount"))
        for item in (response or {}).get("item") or ()
        for one in item.get("adjudication") or ()
        if "eligible" in _codes(one.get("category"))
    }
    by_position = {one.position: one for one in open.review.services if one.position}
    lines = []
    for n, item in enumerate(open.claim.get("item") or (), 1):
        one = by_position.get(n)
        code = _codes(item.get("productOrService"))
        pointers = "".join(LETTERS[p - 1] for p in item.get("diagnosisSequence") or () if 0 < p <= len(LETTERS))
        modifiers = " ".join(c for m in item.get("modifier") or () for c in _codes(m)[:1])
        units = str((item.get("quantity") or {}).get("value", "1"))
        display = open.named(one) if one else ""
        lines.append(Line(code[0] if code else "", display, modifiers, units, pointers, prices.get(n, "")))
    return lines


def _diagnoses(open: Opened) -> list[Told]:
    claimed: Sequence[Suggestion] = sorted(
        (one for one in open.review.diagnoses if one.position), key=lambda one: one.position or 0
    )
    return [
        Told(letter, one.code, open.named(one), one.state == "suggested")
        for letter, one in zip(LETTERS, claimed, strict=False)
    ]


def _codes(concept: Mapping[str, Any] | None) -> list[str]:
    return [str(coding.get("code", "")) for coding in (concept or {}).get("coding") or ()]


def _money(amount: Mapping[str, Any] | None) -> str:
    if not amount or "value" not in amount:
        return ""
    return f"${Decimal(str(amount['value'])):,.2f}"
