"""Values of search parameters: prefixes, intervals, precision, codes (https://hl7.org/fhir/R4/search.html#prefix)."""

from __future__ import annotations

import math
import re
import time
from decimal import Decimal, InvalidOperation

import msgspec

from fhir_profiles.dates import interval

from .query import invalid, split_values, unescape

_NUMBER = re.compile(r"[+-]?[0-9]{1,1000}(\.[0-9]{1,1000})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


class Span(msgspec.Struct, frozen=True):
    """A prefix, the exact value or start, and the interval [low, high) that the value stands for."""

    prefix: str
    low: float
    high: float
    exact: float


def read_prefix(text: str) -> tuple[str, str]:
    """The prefix of an ordered value, `eq` when there is none, and the rest."""
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)


def read_date(text: str) -> Span:
    """A date with its prefix, in microseconds; a `+` that a URL turned into a space is understood."""
    prefix, written = read_prefix(text)
    try:
        low, high = interval(written.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise invalid(
            "A date is written YYYY, YYYY-MM, YYYY-MM-DD or with a time and zone, after its prefix."
        ) from None
    if prefix == "ap":  # a tenth of the distance to now, as the specification proposes
        around = abs(time.time_ns() // 1000 - low) // 10
        low, high = low - around, high + around
    return Span(prefix, low, high, low)


def read_number(text: str) -> Span:
    """A number with its prefix; the interval is half a unit of the last written digit to both sides."""
    prefix, written = read_prefix(text)
    if not _NUMBER.fullmatch(written):
        raise invalid("A number is written like 5, -5.4 or 5.4e-3, after its prefix.")
    try:
        number = Decimal(written)
        half = Decimal((0, (5,), int(number.as_tuple().exponent) - 1))
        exact, low, high = float(number), float(number - half), float(number + half)
    except (InvalidOperation, OverflowError):
        raise _too_large() from None
    if not math.isfinite(exact):
        raise _too_large()
    if prefix == "ap":
        around = abs(exact) / 10
        low, high = exact - around, exact + around
    return Span(
        prefix, low, max(high, math.nextafter(exact, math.inf)), exact
    )  # beyond 17 digits both ends are one float


def _too_large() -> Exception:
    return invalid("A number must lie between -1.7e308 and 1.7e308.")


def read_quantity(text: str) -> tuple[Span, str | None, str | None]:
    """`number`, `number|system|code` or `number||code`: the number, the system and the code, None for any."""
    parts = [unescape(part) for part in split_values(text, "|")]
    if len(parts) not in (1, 3):
        raise invalid("A quantity is written number, number|system|code or number||code.")
    system, code = (parts[1] or None, parts[2] or None) if len(parts) == 3 else (None, None)
    return read_number(parts[0]), system, code


def read_token(text: str) -> tuple[str | None, str | None]:
    """`code`, `system|code`, `|code` (no system) or `system|` as (system, code); None is any, "" is no system."""
    parts = [unescape(part) for part in split_values(text, "|")]
    if len(parts) == 1:
        return None, parts[0]
    if len(parts) > 2 or parts == ["", ""]:
        raise invalid("A token is written code, system|code, |code or system|.")
    return parts[0], parts[1] or None
