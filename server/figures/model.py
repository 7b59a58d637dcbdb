"""What a figure is, the time that it is about, and how many are counted (https://hl7.org/fhir/R4/parameters.html)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeVar

import msgspec

DAY = 86_400.0
MOST_DAYS = 400
"""Days of the longest time that is told of."""

Labels = tuple[tuple[str, str], ...]
T = TypeVar("T")


class Row(Protocol):
    """What a figure is computed from: it names the resource (`Type/id`) that it was read from."""

    @property
    def reference(self) -> str:
        """`Type/id`."""


class Figure(msgspec.Struct, frozen=True, gc=False):
    """One number: its name and labels, its unit in words, and what it is made of.

    A value of None says that there is nothing to measure, which is not zero.
    """

    name: str
    value: float | None
    unit: str
    labels: Labels = ()
    made_of: Sequence[Row] = ()

    @property
    def rows(self) -> tuple[str, ...]:
        """The resources (`Type/id`) that it is made of, each once."""
        return tuple(dict.fromkeys(row.reference for row in self.made_of))

    def label(self, name: str) -> str:
        """The value of a label; empty where there is none of the name."""
        return dict(self.labels).get(name, "")


class Period(NamedTuple):
    """From `start` until before `end`, in seconds since 1970."""

    start: float
    end: float

    @classmethod
    def of_days(cls, first: date, last: date) -> Period:
        """Whole days of UTC, both included."""
        return cls(_midnight(first), _midnight(last + timedelta(days=1)))

    def holds(self, moment: float | None) -> bool:
        """Whether a moment lies within it."""
        return moment is not None and self.start <= moment < self.end

    def before(self) -> Period:
        """The time of the same length that ends where this one begins."""
        return Period(2 * self.start - self.end, self.start)

    def days(self) -> Iterator[str]:
        """Each day of UTC that it touches, the first first."""
        at = math.floor(self.start / DAY) * DAY
        while at < self.end:
            yield day_of(at)
            at += DAY


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def seconds_of(text: str | None) -> float | None:
    """A date, dateTime or instant of FHIR as seconds since 1970; None for what is none or tells no day."""
    if not text or len(text) < len("2026-01-01"):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def day_of(moment: float) -> str:
    """The day of UTC as YYYY-MM-DD."""
    return _day(int(moment // DAY))


@lru_cache(maxsize=4 * MOST_DAYS)
def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def quantile(values: Sequence[float], share: float) -> float | None:
    """The least of the values that `share` of them do not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None of none."""
    return sum(values) / len(values) if values else None


def share(part: int, whole: int) -> float | None:
    """A part of the whole, 0 to 1; None where there is no whole."""
    return part / whole if whole else None


def grouped(rows: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """Rows by key, in the order in which the keys first came."""
    found: defaultdict[str, list[T]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


def binned(value: float, edges: Sequence[float]) -> int:
    """The number of the bin that holds a value: bin n ends before `edges[n]`, the last has no end."""
    return bisect_right(edges, value)
