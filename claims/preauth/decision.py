"""What a reviewer decides of a request for authorisation (https://hl7.org/fhir/us/davinci-pas/)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from claims.preauth.answer import Action, Made, head, item
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import PAS_EXTENSION

Json = dict[str, Any]
WORDS: Mapping[str, Action] = MappingProxyType(
    {"certified": "A1", "partial": "A2", "denied": "A3", "pended": "A4", "modified": "A6", "cancelled": "C"}
)
_NUMBERED = frozenset({"A1", "A2", "A6"})
"""Decisions that a later claim can name, and which so have a number."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SAID = MappingProxyType(
    {
        "A1": "Certified", "A2": "Certified in part", "A3": "Not certified", "A4": "Pended",
        "A6": "Certified with changes", "C": "Cancelled",
    }
)  # fmt: skip


class ItemDecision(NamedTuple):
    """What is decided of one item apart from the others."""

    decision: str
    quantity: Decimal | None = None


class Decision(NamedTuple):
    """A decision in words (a key of WORDS), the number of the authorisation, its days, a reason, and single items."""

    decision: str
    number: str | None = None
    start: str | None = None
    end: str | None = None
    reason: str | None = None
    items: Mapping[int, ItemDecision] = MappingProxyType({})


def decided(claim: Json, decision: Decision, made: Made) -> Json:
    """The ClaimResponse that tells it; FhirError where it does not fit the request."""
    actions = _actions(claim, decision)
    outcome = "queued" if set(actions.values()) == {"A4"} else "partial" if "A4" in actions.values() else "complete"
    found = head(claim, made, outcome, f"{_SAID[WORDS[decision.decision]]}.")
    period = {name: day for name, day in (("start", decision.start), ("end", decision.end)) if day}
    granted = any(action in _NUMBERED for action in actions.values())
    if granted:
        found["preAuthRef"] = decision.number
        found["identifier"] = [*found["identifier"], {"value": decision.number}]  # by which a claim's number finds it
        if period:
            found["preAuthPeriod"] = period
    found["item"] = [_item(one, actions[one["sequence"]], decision, period, made) for one in claim.get("item", ())]
    if decision.reason:
        found["processNote"] = [{"number": 1, "type": "display", "text": decision.reason}]
    return found


def _item(asked: Json, action: Action, decision: Decision, period: Json, made: Made) -> Json:
    granted = action in _NUMBERED
    found = item(asked, action, [1] if decision.reason else [], decision.number if granted else None)
    if not granted:
        return found
    more: list[Json] = [{"url": f"{PAS_EXTENSION}itemPreAuthIssueDate", "valueDate": made.created[:10]}]
    if period:
        more.append({"url": f"{PAS_EXTENSION}itemPreAuthPeriod", "valuePeriod": period})
    own = decision.items.get(asked["sequence"])
    if own is not None and own.quantity is not None:
        parts = [{"url": "quantity", "valueQuantity": {"value": own.quantity}}]
        more.append({"url": f"{PAS_EXTENSION}itemAuthorizedDetail", "extension": parts})
    return {"extension": [*found.get("extension", ()), *more], **{k: v for k, v in found.items() if k != "extension"}}


def _actions(claim: Json, decision: Decision) -> dict[int, Action]:
    """Number of an item → what became of it."""
    if claim.get("use") != "preauthorization":
        text = "Only a Claim that asks for an authorisation is decided so."
        raise FhirError.of(Category.CONFLICT, "business-rule", text, "Claim.use")
    known = [one.get("sequence") for one in claim.get("item", ())]
    words = [decision.decision, *(one.decision for one in decision.items.values())]
    if not {*words} <= {*WORDS}:
        raise _wrong(f"A decision is one of {', '.join(WORDS)}.", "decision")
    if not {*decision.items} <= {*known}:
        raise _wrong("The request has no item of this number.", "item.sequence")
    actions = {n: WORDS[decision.items[n].decision if n in decision.items else decision.decision] for n in known}
    if any(action in _NUMBERED for action in (*actions.values(), WORDS[decision.decision])) and not decision.number:
        raise _wrong("Give the number of the authorisation, which claims will name.", "number")
    for name, day in (("start", decision.start), ("end", decision.end)):
        if day is not None and not _is_day(day):
            raise _wrong(f"{name} is a day, as YYYY-MM-DD.", name)
    if decision.start and decision.end and decision.end < decision.start:
        raise _wrong("The authorisation ends before it begins.", "end")
    return actions


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _wrong(text: str, where: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "value", text, where)
