"""Texts of FHIR as the whole numbers that sheets hold: days and cents."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

EPOCH = date(1970, 1, 1).toordinal()
MOST_CENTS = 10**15


def any_day(text: str | None) -> int | None:
    """As `day`, which remembers what it was asked; this is for days that hardly two claims share."""
    if text is None or len(text) < 10:
        return None
    try:
        return date.fromisoformat(text[:10]).toordinal() - EPOCH
    except ValueError:
        return None


@lru_cache(maxsize=8_192)
def day(text: str | None) -> int | None:
    """Days since 1970-01-01 of the date in a FHIR date or dateTime; None where the text holds no whole, real date."""
    return any_day(text)


def written(days: int) -> str:
    """A day as YYYY-MM-DD."""
    return date.fromordinal(days + EPOCH).isoformat()


@lru_cache(maxsize=65_536)
def cents(raw: bytes) -> tuple[int | None, bool]:
    """(cents, whether it is odd): an amount as JSON has it; odd when it has parts of a cent or is none."""
    if not raw:
        return None, False
    dollars, _, parts = raw.partition(b".")
    if len(parts) == 2 and len(dollars) < 13 and (dollars + parts).isdigit():
        return int(dollars + parts), False
    try:
        exact = Decimal(raw.decode()) * 100
    except (InvalidOperation, UnicodeDecodeError):
        return None, True
    if not exact.is_finite() or abs(exact) > MOST_CENTS:
        return None, True
    whole = int(exact.to_integral_value())
    return whole, whole != exact


@lru_cache(maxsize=8_192)
def _year_month_day(days: int) -> tuple[int, int, int]:
    on = date.fromordinal(days + EPOCH)
    return on.year, on.month, on.day


def years(born: int, on: int) -> int:
    """Full years of age on a day."""
    birth = date.fromordinal(born + EPOCH)
    year, month, day = _year_month_day(on)
    before = month < birth.month or (month == birth.month and day < birth.day)
    return year - birth.year - before
