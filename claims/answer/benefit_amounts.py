"""What a payer or a scrub says of money, in the categories of CARIN's Blue Button guide.

https://hl7.org/fhir/us/carin-bb/ValueSet-C4BBAdjudication.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from claims.answer.benefit_parties import code, codings, concept
from fhir_profiles.systems import (
    ADJUDICATION,
    CARIN_AMOUNT,
    CARIN_SLICE,
    X12_ADJUSTMENT_GROUPS,
    X12_ADJUSTMENT_REASONS,
    X12_REMARKS,
)

Json = dict[str, Any]
SHARED = frozenset({"submitted", "copay", "eligible", "deductible", "benefit"})
"""Categories that HL7 has; all others are CARIN's own."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "1": "deductible", "2": "coinsurance", "3": "copay", "23": "priorpayerpaid", "44": "discount",
        "45": "discount", "59": "discount", "131": "discount", "144": "discount", "253": "discount",
    }
)  # fmt: skip
"""Reason of an adjustment (CARC) → category of its amount; every other is what the payer does not cover."""

MEMBER = "PR"
"""The group of adjustments that the patient owes."""


class Line(NamedTuple):
    """What is said of one line or of a claim apart from its lines: cents by category, reasons, and allowed units."""

    amounts: list[tuple[str, int, Json | None, str | None]]  # category, cents, reason, group of X12
    reasons: list[Json]
    units: Any = None

    def cents(self, *categories: str) -> int:
        """The sum of some categories."""
        return sum(amount for category, amount, _, _ in self.amounts if category in categories)

    def denied(self) -> bool:
        """Whether nothing is paid and nothing is left to the patient's share: a refusal."""
        share = self.cents("benefit", "deductible", "coinsurance", "copay", "priorpayerpaid")
        return share == 0 and self.cents("noncovered") > 0


def read(adjudications: Iterable[Json]) -> Line:
    """Adjudications of a ClaimResponse: ours, or those that `claims.x12.read835` makes."""
    found = Line([], [])
    units = None
    for one in adjudications:
        category, amount, reason = code(one.get("category")), _cents(one.get("amount")), one.get("reason")
        group = _group(one.get("category"))
        if group is not None and amount is not None:
            reason_code = next((c["code"] for c in codings(reason) if c.get("system") == X12_ADJUSTMENT_REASONS), "")
            found.amounts.append((REASONS.get(reason_code, "noncovered"), amount, reason, group))
        elif category is not None and amount is not None and group is None:
            found.amounts.append((category, amount, None, None))
            if category == "benefit" and one.get("value") is not None:
                units = one["value"]
        if any(c.get("system") in (X12_ADJUSTMENT_REASONS, X12_REMARKS) for c in codings(reason)):
            found.reasons.append(reason)  # type: ignore[arg-type]
    owed = sum(amount for _, amount, _, group in found.amounts if group == MEMBER)
    if owed:
        found.amounts.append(("memberliability", owed, None, None))
    if any(category == "benefit" for category, *_ in found.amounts):
        found.amounts.append(("paidtoprovider", found.cents("benefit"), None, None))
    return found._replace(units=units)


def _group(category: Any) -> str | None:
    return next((str(c.get("code")) for c in codings(category) if c.get("system") == X12_ADJUSTMENT_GROUPS), None)


def _cents(money: Any) -> int | None:
    value = money.get("value") if isinstance(money, dict) else None
    return None if value is None else int((Decimal(str(value)) * 100).to_integral_value())


def money(cents: int) -> Json:
    """An amount of US dollars."""
    return {"value": Decimal(cents) / 100, "currency": "USD"}


def category(name: str, group: str | None = None) -> Json:
    """A category of an amount, with the group of X12 that it came under."""
    found = concept(ADJUDICATION if name in SHARED else CARIN_AMOUNT, name)
    if group:
        found["coding"].append({"system": X12_ADJUSTMENT_GROUPS, "code": group})
    return found


def amounts(line: Line) -> list[Json]:
    """The adjudications with an amount."""
    return [
        {"category": category(name, group), **({"reason": reason} if reason else {}), "amount": money(cents)}
        for name, cents, reason, group in line.amounts
    ]


def reasons(line: Line, many: bool) -> list[Json]:
    """Why something was adjusted: one adjudication for each reason, or a single one for all of them."""
    if not line.reasons:
        return []
    head = concept(CARIN_SLICE, "adjustmentreason")
    distinct = list({str(codings(one)): one for one in line.reasons}.values())
    if many:
        return [{"category": head, "reason": one} for one in distinct]
    return [{"category": head, "reason": {"coding": [c for one in distinct for c in codings(one)]}}]


def totals(lines: Iterable[Line], said: Iterable[Json]) -> list[Json]:
    """The sums by category; what the answer itself says of a total goes before what its lines add up to."""
    sums: dict[str, int] = {}
    for line in lines:
        for name, cents, _, _ in line.amounts:
            sums[name] = sums.get(name, 0) + cents
    for one in said:
        told, amount = code(one.get("category")), _cents(one.get("amount"))
        if told is not None and amount is not None:
            sums[told] = amount
            if told == "benefit":
                sums["paidtoprovider"] = amount
    return [{"category": category(name), "amount": money(cents)} for name, cents in sums.items()]
