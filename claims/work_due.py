"""By when a claim, or a correction of it, must be with its payer (42 CFR 424.44 for Medicare; rules TFL-001 to 004)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims.tables.table import Table

MEDICARE_DAYS = 365
SOON, VERY_SOON = 30, 7
"""Days before the last one from which work is urgent, and from which it comes first."""


def due(record: Mapping[str, Any], payers: Table | None) -> int | None:
    """The last day (days since 1970) on which the payer takes the claim; None where no limit is known.

    The payer's own limit stands in the table `payer`; a claim that corrects another has the limit of corrections where
    there is one.
    """
    claim = record["claim"]
    last: int | None = claim["last_service"]
    if last is None:
        return None
    days: int | None = None
    if payers is not None and claim["payer_id"]:
        row = payers.find((claim["payer_id"],), last)
        days = payers.value(row, "filing_days")
        if claim["related_number"]:
            days = payers.value(row, "correction_days") or days
    if days is None and claim["medicare"]:
        days = MEDICARE_DAYS
    return None if days is None else last + days


def priority(due_day: int | None, today: int) -> str:
    """How urgent work is: routine, urgent within thirty days of the limit, asap within seven and after it."""
    left = SOON + 1 if due_day is None else due_day - today
    return "routine" if left > SOON else "urgent" if left > VERY_SOON else "asap"
