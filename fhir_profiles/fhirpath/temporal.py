"""Dates, date-times and times of any precision (http://hl7.org/fhirpath/N1/#date, #datetime, #time)."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

Kind = Literal["Date", "DateTime", "Time"]

_FORM = re.compile(
    r"(?P<year>\d{4})?(-(?P<month>\d\d)(-(?P<day>\d\d))?)?"
    r"(?P<T>T)?((?<=T)(?P<hour>\d\d)(:(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)
_FIELDS = ("year", "month", "day", "hour", "minute", "second")
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Temporal:
    """A point in time as far as it is known: `fields` are year … second, those of a time hour … second."""

    kind: Kind
    fields: tuple[int, ...]
    fraction: str = ""
    zone: str = ""

    @staticmethod
    @lru_cache(maxsize=8_192)
    def read(text: str) -> Temporal | None:
        """From `2015-02`, `2015T`, `2015-02-04T14:34:28.1Z` or `T14:34`; None when there is no such moment."""
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        values = tuple(int(found[name]) for name in _FIELDS if found[name] is not None)
        time_only = found["year"] is None
        if time_only and (found["T"] is None or found["hour"] is None or found["zone"] or found["month"]):
            return None
        if not time_only and found["hour"] is not None and found["day"] is None:
            return None
        if not _exists(values, time_only):
            return None
        kind: Kind = "Time" if time_only else "DateTime" if found["T"] else "Date"
        return Temporal(kind, values, found["fraction"] or "", found["zone"] or "")

    def __str__(self) -> str:
        values = self.fields
        text = ""
        if self.kind != "Time":
            text = "-".join(f"{v:0{w}}" for v, w in zip(values[:3], (4, 2, 2), strict=False))
            values = values[3:]
        if values:
            text += ("" if self.kind == "Time" else "T") + ":".join(f"{v:02}" for v in values)
        return text + (f".{self.fraction}" if self.fraction else "") + self.zone

    @property
    def offset(self) -> int | None:
        """Minutes east of UTC; None when that is not known."""
        if not self.zone:
            return None
        if self.zone == "Z":
            return 0
        minutes = int(self.zone[1:3]) * 60 + int(self.zone[4:])
        return -minutes if self.zone[0] == "-" else minutes

    def as_date_time(self) -> Temporal:
        """The same as a DateTime, which may have a time."""
        return self if self.kind == "DateTime" else Temporal("DateTime", self.fields)

    def compare(self, other: Temporal) -> int | None:
        """-1, 0 or 1; None when it depends on what is not known, or a time stands against a date."""
        if (self.kind == "Time") is not (other.kind == "Time"):
            return None
        mine, theirs = self._parts(), other._parts()
        one, two = self.offset, other.offset
        if one is not None and two is not None:
            mine, theirs = _shifted(mine, one), _shifted(theirs, two)
        elif one != two and len(mine) > 3 and len(theirs) > 3 and self.kind != "Time" and _near(mine, theirs):
            return None
        for a, b in zip(mine, theirs, strict=False):
            if a != b:
                return -1 if a < b else 1
        return 0 if len(mine) == len(theirs) else None

    def _parts(self) -> tuple[Decimal | int, ...]:
        if len(self.fields) == (3 if self.kind == "Time" else 6):
            return (*self.fields[:-1], Decimal(f"{self.fields[-1]}.{self.fraction or 0}"))
        return self.fields

    def key(self) -> tuple[object, ...]:
        """Equal for equal moments."""
        parts = self._parts()
        offset = self.offset
        return (
            "Time" if self.kind == "Time" else "Date",
            parts if offset is None else ("UTC", _shifted(parts, offset)),
        )

    def plus(self, amount: int, unit: str) -> Temporal:
        """Later by whole units of the calendar; parts finer than the own precision are dropped. OverflowError."""
        if self.kind == "Time":
            return self._time_plus(amount, unit)
        if unit in ("year", "month"):
            return self._months_plus(amount * 12 if unit == "year" else amount)
        span = amount * _SECONDS[unit]
        if len(self.fields) < 3:
            days = int(span / 86_400)
            return self._months_plus(int(days / 365) * 12 if len(self.fields) == 1 else int(days / 30))
        if len(self.fields) == 3:
            later = date(*self.fields) + timedelta(days=int(span / 86_400))
            return replace(self, fields=(later.year, later.month, later.day))
        return self._moment_plus(span)

    def _months_plus(self, months: int) -> Temporal:
        year, month = self.fields[0], self.fields[1] if len(self.fields) > 1 else 1
        if len(self.fields) == 1:
            months = int(months / 12) * 12
        total = year * 12 + month - 1 + months
        year, month = total // 12, total % 12 + 1
        if not 1 <= year <= 9999:
            raise OverflowError
        rest = self.fields[2:]
        if rest:
            rest = (min(rest[0], monthrange(year, month)[1]), *rest[1:])
        return replace(self, fields=(year, month, *rest)[: len(self.fields)])

    def _moment_plus(self, seconds: Decimal) -> Temporal:
        size = len(self.fields)
        start = datetime(*self.fields, *(0,) * (6 - size))  # type: ignore[arg-type]
        micro = int(self.fraction[:6].ljust(6, "0")) if self.fraction else 0
        later = start + timedelta(microseconds=micro + int(seconds * 1_000_000))
        digits = max(len(self.fraction), 3 if later.microsecond else 0)
        fraction = f"{later.microsecond:06}".ljust(digits, "0")[:digits] if size == 6 else ""
        values = (later.year, later.month, later.day, later.hour, later.minute, later.second)
        return replace(self, fields=values[:size], fraction=fraction)

    def _time_plus(self, amount: int, unit: str) -> Temporal:
        moment = Temporal("DateTime", (2000, 1, 2, *self.fields), self.fraction)
        if unit in ("year", "month"):
            raise OverflowError
        later = moment._moment_plus(amount * _SECONDS[unit] % 86_400)
        return replace(self, fields=later.fields[3:], fraction=later.fraction)


_SECONDS = {
    "week": Decimal(604_800),
    "day": Decimal(86_400),
    "hour": Decimal(3_600),
    "minute": Decimal(60),
    "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}


def _exists(values: tuple[int, ...], time_only: bool) -> bool:
    clock = values if time_only else values[3:]
    if any(v > high for v, high in zip(clock, (23, 59, 60), strict=False)):
        return False
    if time_only:
        return True
    year, month = values[0], values[1] if len(values) > 1 else 1
    day = values[2] if len(values) > 2 else 1
    return year > 0 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _shifted(parts: tuple[Decimal | int, ...], offset: int) -> tuple[Decimal | int, ...]:
    """The same moment in UTC; parts finer than minutes do not change."""
    if offset == 0 or len(parts) < 4:
        return parts
    whole = [int(p) for p in parts[:5]]
    try:
        moved = datetime(*(whole + [0] * (5 - len(whole)))) - timedelta(minutes=offset)  # type: ignore[arg-type]
    except OverflowError:
        return parts
    values = (moved.year, moved.month, moved.day, moved.hour, moved.minute)
    return (*values[: len(parts)], *parts[5:])


def _near(mine: tuple[Decimal | int, ...], theirs: tuple[Decimal | int, ...]) -> bool:
    """Whether a zone could change the order: both lie within a day."""

    def minutes(parts: tuple[Decimal | int, ...]) -> int:
        day = date(int(parts[0]), int(parts[1]), int(parts[2])).toordinal()
        return day * _DAY_MINUTES + int(parts[3]) * 60 + (int(parts[4]) if len(parts) > 4 else 0)

    return abs(minutes(mine) - minutes(theirs)) <= _DAY_MINUTES
