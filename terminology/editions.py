"""Which edition of a code system speaks for a date of service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from terminology.model import Edition

FISCAL_END = (9, 30)


def choose(editions: Sequence[Edition], on: date | None, version: str | None) -> Edition | None:
    """The edition of `version`; else in force on `on`, or the nearest one; else the newest. None when nothing fits.

    Without a version only those are asked that speak for the system (`speaking`).
    Where the first half of a fiscal year has no edition, the update of its April comes before the edition of the year
    that went: it holds all codes that came since.
    """
    if version is not None:
        return next((e for e in editions if e.version == version), None)
    editions = speaking(editions)
    if not editions or on is None:
        return editions[-1] if editions else None
    return min(editions, key=lambda e: (not _same_year(e, on), _days_off(e, on), -(e.start or date.min).toordinal()))


def speaking(editions: Sequence[Edition]) -> list[Edition]:
    """Those that answer where no version is said: the whole ones; else fragments that have dates; else what is there.

    So the starter table of a system steps back once an official file is loaded.
    """
    whole = [e for e in editions if e.content == "complete"]
    return whole or [e for e in editions if e.start] or list(editions)


def order(edition: Edition) -> tuple[bool, date, str]:
    """Sorts editions so that the one that answers without a version and a date is the last."""
    return edition.content == "complete", edition.start or date.min, edition.version


def _same_year(edition: Edition, on: date) -> bool:
    """Whether an edition that lasts until the end of a fiscal year (30 September) belongs to the year of a date."""
    if edition.end is None or (edition.end.month, edition.end.day) != FISCAL_END:
        return _days_off(edition, on) == 0
    return edition.end.year == on.year + ((on.month, on.day) > FISCAL_END)


def in_force(edition: Edition, on: date | None) -> bool:
    """True when the edition governs the date, or no date is asked about."""
    return on is None or _days_off(edition, on) == 0


def _days_off(edition: Edition, on: date) -> int:
    if edition.start and on < edition.start:
        return (edition.start - on).days
    if edition.end and on > edition.end:
        return (on - edition.end).days
    return 0


def period(edition: Edition) -> str:
    """The dates of service an edition governs, in words."""
    if edition.start and edition.end:
        return f"in force {edition.start} to {edition.end}"
    return f"in force from {edition.start}" if edition.start else "without dates"
