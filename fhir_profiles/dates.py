"""FHIR dates as half-open intervals of microseconds, UTC (https://hl7.org/fhir/R4/search.html#date)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime
from functools import lru_cache

OPEN_LOW = -(2**62)
OPEN_HIGH = 2**62

SECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?$")


@lru_cache(maxsize=16_384)
def interval(text: str) -> tuple[int, int]:
    """[low, high) of a date, dateTime or instant of any precision; without zone it is UTC. ValueError otherwise."""
    size = len(text)
    if size > 10:
        return _moment(text)
    if size == 10:
        low = _day(int(text[:4]), int(text[5:7]), int(text[8:]))
        return low, low + DAY
    year = int(text[:4])
    if size == 7:
        month = int(text[5:])
        low = _day(year, month, 1)
        return low, low + monthrange(year, month)[1] * DAY
    if size == 4:
        return _day(year, 1, 1), _day(year, 12, 31) + DAY
    raise ValueError("not a date")


def _day(year: int, month: int, day: int) -> int:
    return (date(year, month, day).toordinal() - _EPOCH_DAY) * DAY


def _moment(text: str) -> tuple[int, int]:
    found = _TIME.search(text, 10)
    if found is None or found.start() != 10:
        raise ValueError("not a date and time")
    hour, minute, second, fraction, zone = found.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 60:
        raise ValueError("not a time of day")
    low = _day(int(text[:4]), int(text[5:7]), int(text[8:10]))
    low += ((int(hour) * 60 + int(minute)) * 60 + int(second or 0)) * SECOND
    if zone and zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:])) * 60 * SECOND
        low += offset if zone[0] == "-" else -offset
    if second is None:
        return low, low + 60 * SECOND
    if fraction is None:
        return low, low + SECOND
    digits = fraction[:6]
    width = 10 ** (6 - len(digits))
    low += int(digits) * width
    return low, low + width


def microseconds(moment: datetime) -> int:
    """A zoned datetime as µs since 1970."""
    past = moment - _EPOCH
    return past.days * DAY + past.seconds * SECOND + past.microseconds
