"""What other payers adjusted, from their ClaimResponses (https://hl7.org/fhir/R4/claimresponse.html).

An adjudication with a reason is an adjustment: the reason is its code, the group stands beside it in X12's own system.
"""

from __future__ import annotations

from typing import Any

from claims.sheet.reading import Reading, Row
from claims.sheet.shapes import Insurance
from claims.sheet.values import cents
from fhir_profiles.systems import X12_ADJUSTMENT_GROUPS


def adjustment_rows(at: Reading, one: Insurance) -> list[Row]:
    """The adjustments of a coverage, of its whole claim (line 0) and of its lines."""
    if one.claim_response is None:
        return []
    response = at.near.of(one.claim_response)
    parts = [(0, response.adjudication)]
    for item in _objects(response.item):
        line = item.get("itemSequence")
        parts.append((line if isinstance(line, int) else 0, item.get("adjudication")))
    return [
        {"row": at.row, "seq": one.sequence, "line": line, **said}
        for line, adjudications in parts
        for adjudication in _objects(adjudications)
        if (said := _adjustment(adjudication)) is not None
    ]


def _adjustment(adjudication: dict[str, Any]) -> Row | None:
    reason = adjudication.get("reason")
    if not isinstance(reason, dict):
        return None
    codings = _objects(reason.get("coding"))
    groups = [str(c.get("code")) for c in codings if c.get("system") == X12_ADJUSTMENT_GROUPS]
    reasons = [str(c.get("code")) for c in codings if c.get("system") != X12_ADJUSTMENT_GROUPS]
    money = adjudication.get("amount")
    amount = money.get("value") if isinstance(money, dict) else None
    return {
        "group": groups[0] if groups else None,
        "reason": reasons[0] if reasons else None,
        "amount": None if amount is None else cents(str(amount).encode())[0],
    }


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
