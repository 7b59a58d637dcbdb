"""Dates in every shape that notes print them in, and the same shape on another day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_SHORT = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
         "December")  # fmt: skip
_MONTH = (
    r"(?P<mon>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<d>3[01]|[12]\d|0?[1-9])"
_M = r"(?P<m>1[0-2]|0?[1-9])"
_Y4 = r"(?P<y>(?:18|19|20|21)\d\d)"
_Y = r"(?P<y>(?:18|19|20|21)\d\d|\d\d)"
_CUE = (
    r"(?:\b(?:on|since|by|from|until|till|through|thru|to|dated?|of|seen|visit|before|after|dos|dob|d/c|appt|due"
    r"|started|returned?|collected|signed|admitted|discharged"
    r"|between|and|for|last|surgery|week of|scheduled"
    r"|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[.,]?)\s*[:#]?\s*\(?)"
)
_SPACE = r"[ \t]{0,3}\n?[ \t]{0,3}"
_SHAPES = tuple(
    re.compile(shape, re.I | re.M)
    for shape in (
        rf"(?<![\d./-]){_Y4}(?P<s>[-/.]){_M}(?P=s){_DAY}(?![\d/-])(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?",
        rf"(?<![\d./-]){_M}[ ]?(?P<s>[-/.])[ ]?{_DAY}[ ]?(?P=s)[ ]?{_Y}(?!\d|[/-]\d)",
        rf"(?<![\d./-])(?P<d>3[01]|[12]\d|1[3-9])(?P<s>[-/.]){_M}(?P=s){_Y4}(?!\d|[/-]\d)",
        rf"\b{_MONTH}{_SPACE}{_DAY}(?:st|nd|rd|th)?[ ]?(?:[-–&]|to|and|through)[ ]?(?P<d2>3[01]|[12]\d|0?[1-9])"
        rf"(?:st|nd|rd|th)?(?:,?{_SPACE}{_Y4})?(?![\d/:-]|[ ]?(?:mg|%|ml|mcg|units?|tablets?)\b)",
        rf"\b{_MONTH}{_SPACE}{_DAY}(?:st|nd|rd|th)?,?{_SPACE}(?:of[ ])?{_Y4}\b",
        rf"(?<![\d./-]){_DAY}(?:st|nd|rd|th)?(?:[- ]|{_SPACE}of{_SPACE}|{_SPACE}){_MONTH},?[- ]?{_SPACE}{_Y4}\b",
        rf"(?<![\d./-]){_DAY}-{_MONTH}-(?P<y>\d\d)\b",
        rf"(?<![\d./-]){_DAY}(?P<mon>[A-Z]{{3}}){_Y4}\b",
        rf"(?<![\d./-]){_DAY}(?:st|nd|rd|th)?[-/., ]{{1,3}}{_MONTH}[-/., ']{{1,3}}{_Y}(?![\d:])",
        rf"(?<![\d./-]){_Y4}[-/., ]{{1,3}}{_MONTH}[-/., ]{{1,3}}{_DAY}(?!\d)",
        rf"\b{_MONTH}[-/., ]{{0,3}}{_DAY}(?:st|nd|rd|th)?[-/., ']{{1,3}}{_Y}(?![\d:])(?!\.\d)",
        rf"\b{_MONTH},?{_SPACE}(?:of[ ])?{_Y4}\b",
        rf"\b{_MONTH}{_SPACE}{_DAY}(?:st|nd|rd|th)?\b(?![./]\d|[ ]?(?:mg|%|ml|mcg|units?|tablets?)\b)",
        rf"(?<![\d./-]){_DAY}(?:st|nd|rd|th)?(?:[- ]|[ ]of[ ]){_MONTH}(?=[\s.,;:)]|$)",
        rf"(?<![\d./-]){_M}/{_Y4}(?![\d/])",
        rf"(?<=\D)(?<![\d./-])(?:(?<=^)|(?<=\n)){_M}/{_DAY}(?=[ ]?[:-])",
        rf"{_CUE}(?<![\d./-])(?P<whole>{_M}/{_DAY})(?![\d/%]|[ ]?(?:strength|murmur|systolic|of|points?|pain)\b)",
        r"(?<![\d.-])(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>3[01]|[12]\d|0[1-9])(?:\d{4}(?:\d\d)?)?(?![\d-])",
    )
)
_WEEKDAY = re.compile(r"(?i)\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s{1,2}$")
_PIVOT = 40  # a two-digit year below it is of this century
_NO_YEAR = 2024  # has every day


@dataclass(frozen=True, slots=True)
class Printed:
    """A date as it stands in a text; `exact` when it has a year and a day. `day` fills what is missing."""

    start: int
    end: int
    day: date
    exact: bool
    parts: tuple[tuple[str, int, int], ...]  # group name and its offsets


def find_dates(text: str) -> list[Printed]:
    """The dates of a text, in order, none overlapping; shapes that say more come first."""
    taken: list[Printed] = []
    for shape in _SHAPES:
        for match in shape.finditer(text):
            found = _read(match)
            if found is not None and not any(found.start < t.end and t.start < found.end for t in taken):
                taken.append(found)
    return sorted(taken, key=lambda found: found.start)


def shift(text: str, printed: Printed, days: int) -> str:
    """The same shape on another day; FHIR-like and printed forms alike."""
    day = _moved(printed.day, days)
    pieces: list[str] = []
    at = printed.start
    for name, start, end in sorted(printed.parts, key=lambda part: part[1]):
        last = timedelta(int(text[start:end]) - printed.day.day) if name == "d2" else timedelta()
        pieces += (text[at:start], _part(name, text[start:end], day + last))
        at = end
    return "".join((*pieces, text[at : printed.end]))


def _moved(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return day


def _read(match: re.Match[str]) -> Printed | None:
    groups = match.groupdict()
    start, end = match.span("whole") if groups.get("whole") else match.span()
    if groups.get("mon") == "may" and not groups.get("y"):
        return None  # the verb
    month = _SHORT.index(groups["mon"].lower()[:3]) + 1 if _is_month(groups.get("mon")) else int(groups.get("m") or 0)
    try:
        day = date(_year(groups.get("y")), month, int(groups.get("d") or 15))
    except ValueError:
        return None
    if weekday := _WEEKDAY.search(match.string, max(0, start - 12), start):
        start = weekday.start()
    parts = tuple((name, *match.span(name)) for name in ("y", "m", "mon", "d", "d2") if groups.get(name))
    return Printed(start, end, day, bool(groups.get("y") and groups.get("d")), parts)


def _is_month(printed: str | None) -> bool:
    return printed is not None and printed.lower()[:3] in _SHORT


def _year(printed: str | None) -> int:
    if not printed:
        return _NO_YEAR
    if len(printed) == 4:
        return int(printed)
    return int(printed) + (2000 if int(printed) < _PIVOT else 1900)


def _part(name: str, printed: str, day: date) -> str:
    match name:
        case "y":
            return f"{day.year:04d}" if len(printed) == 4 else f"{day.year % 100:02d}"
        case "mon":
            return _month_like(printed, day.month)
        case "m":
            return _number_like(printed, day.month)
        case _:
            return _number_like(printed, day.day)


def _number_like(printed: str, number: int) -> str:
    return f"{number:02d}" if printed.startswith("0") or len(printed) == 2 else str(number)


def _month_like(printed: str, month: int) -> str:
    whole = len(printed) > 4 or printed.lower() in ("may", "june", "july")
    name = _LONG[month - 1] if whole else _LONG[month - 1][:3]
    return name.upper() if printed.isupper() else name.lower() if printed.islower() else name


def days_of(text: str) -> Iterator[date]:
    """The full dates that a text prints."""
    return (printed.day for printed in find_dates(text) if printed.exact)
