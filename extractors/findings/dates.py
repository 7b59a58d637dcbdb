"""Dates as they are printed on American clinical documents."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = {
    m: i + 1 for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
_NAMES = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
PRINTED = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?!\d)"
    rf"|{_NAMES}\.?\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}|\d{{1,2}}(?:st|nd|rd|th)?[\s-]{_NAMES}\.?,?[\s-]\d{{4}})"
)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$")
_US = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})$")
_LONG = re.compile(rf"({_NAMES})\.?\s(\d{{1,2}})(?:st|nd|rd|th)?,?\s(\d{{4}})$")
_DAY_FIRST = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)?[\s-]({_NAMES})\.?,?[\s-](\d{{4}})$")
PIVOT = 40  # a two-digit year below it is of this century


def parse_date(printed: str, *, birth: bool = False) -> date | None:
    """The date, month first; None when there is no such day.

    A two-digit year of birth from 30 on is of the last century.
    """
    text = " ".join(printed.lower().split())
    if match := _ISO.match(text):
        year, month, day = (int(g) for g in match.groups())
    elif match := _US.match(text):
        month, day, year = (int(g) for g in match.groups())
        if len(match[3]) == 2:
            year += 2000 if year < (30 if birth else PIVOT) else 1900
        if month > 12 >= day:
            month, day = day, month
    elif match := _LONG.match(text):
        month, day, year = _MONTHS[match[1][:3]], int(match[2]), int(match[3])
    elif match := _DAY_FIRST.match(text):
        day, month, year = int(match[1]), _MONTHS[match[2][:3]], int(match[3])
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
