"""What other payers paid for lines and adjusted, from their ClaimResponses (https://hl7.org/fhir/R4/claimresponse.html).

An adjudication whose category is one of X12's groups is an adjustment; one of category benefit is what was paid.
"""

from __future__ import annotations

from typing import Any

from claims.sheet.reading import Reading, Values, names
from claims.sheet.shapes import Insurance
from claims.sheet.values import cents
from fhir_profiles.systems import ADJUDICATION, X12_ADJUSTMENT_GROUPS

ADJUSTMENTS = names("row seq line amount paid group reason")
"""The names of the values of a row, in their order."""


def adjustment_rows(at: Reading, one: Insurance) -> list[Values]:
    """The adjustments of a coverage, of its whole claim (line 0) and of its lines, and what was paid for the lines."""
    if one.claim_response is None:
        return []
    response = at.near.of(one.claim_response)
    parts = [(0, response.adjudication)]
    for item in _objects(response.item):
        line = item.get("itemSequence")
        parts.append((line if isinstance(line, int) else 0, item.get("adjudication")))
    return [
        (at.row, one.sequence, line, *said)
        for line, adjudications in parts
        for adjudication in _objects(adjudications)
        if (said := _said(adjudication)) is not None
    ]


def _said(adjudication: dict[str, Any]) -> Values | None:
    money = adjudication.get("amount")
    value = money.get("value") if isinstance(money, dict) else None
    amount = None if value is None else cents(str(value).encode())[0]
    group = _code(adjudication, "category", X12_ADJUSTMENT_GROUPS)
    if group is not None:
        return (amount, False, group, _code(adjudication, "reason"))
    paid = _code(adjudication, "category", ADJUDICATION) == "benefit"
    return (amount, True, None, None) if paid else None


def _code(adjudication: dict[str, Any], name: str, system: str | None = None) -> str | None:
    concept = adjudication.get(name)
    codings = _objects(concept.get("coding")) if isinstance(concept, dict) else []
    return next((str(c.get("code")) for c in codings if system is None or c.get("system") == system), None)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
