"""Which quarter's release a file of CMS is: its version and the days of service that it speaks for."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from terminology.importers.given import Given, Member, refuse

MONTH = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
"""A pattern for the months as CMS names them."""

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}


@dataclass(frozen=True, slots=True)
class Release:
    """The version is year and month, as in 2026-04; `end` is the last day of the quarter."""

    version: str
    start: date
    end: date


def release_of(given: Given, member: Member, *places: tuple[str, str]) -> Release:
    """The release that a text says, for example the file name; else the person.

    `places` are pairs of a pattern with the groups year and month, and a text to look in. A year without a month is
    the first of the year. Refused where nobody says it.
    """
    for pattern, text in places:
        match = re.search(pattern, text, re.IGNORECASE)
        if match:
            year = int(match["year"]) if len(match["year"]) == 4 else 2000 + int(match["year"])
            return _quarter(given, year, _MONTHS[(match["month"] or "jan")[:3].lower()])
    said = re.fullmatch(r"(20\d\d)(?:-(0[1-9]|1[0-2]))?", given.version or "")
    if said is None:
        refuse(member, 0, 0, "the file does not say its release: give --version YEAR-MONTH, as in 2026-04")
    return _quarter(given, int(said[1]), int(said[2] or 1))


def _quarter(given: Given, year: int, month: int) -> Release:
    last = (month + 2) // 3 * 3
    end = date(year, last, calendar.monthrange(year, last)[1])
    return Release(f"{year}-{month:02}", given.start or date(year, month, 1), given.end or end)
