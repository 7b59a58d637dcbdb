"""Read the procedure to procedure edits of the National Correct Coding Initiative: tab-separated, four parts a setting.

https://www.cms.gov/medicare/coding-billing/national-correct-coding-initiative-ncci-edits/medicare-ncci-procedure-procedure-ptp-edits

A pair may have several periods. The files hold every period since 1996, so the newest release alone is asked.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import NoReturn

import msgspec
import numpy as np
import polars as pl

from claims.importers.reading import AMA, CODE, Governed, day_number, governed, release, several
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member, refusal, refuse

READER = "ptp 1"
SETTINGS = {"ccipra": "practitioner", "ccioph": "outpatient"}
MAX_HEADER = 12
_FILE = r"cci(pra|oph).*\.(txt|csv)"
_ROW = re.compile(
    r"(\d{4}[0-9A-Z]|[A-Z]\d{4})\t(\d{4}[0-9A-Z]|[A-Z]\d{4})\t\*?\t(\d{8})\t(\d{8}|\*)\t([019])(?:\t[^\t]*)?\t*",
    re.ASCII,
)
_DAMAGED = re.compile(r"[^\t]*\t[^\t]*\t[^\t]*\t *\d{4}[^\t]*\t.*")
_PART = re.compile(r"f(\d)\b", re.IGNORECASE)
_VERSION = re.compile(r"v(?P<year>\d\d)(?P<quarter>[0-3])r\d", re.IGNORECASE)
_MONTHS = ("Jan", "Apr", "Jul", "Oct")
_FIRST_YEAR = 1994
"""Version 31.0 is of January 2025."""

OPEN = -1


def read(given: Given) -> list[TableSource]:
    """One release for each setting, out of all of its parts."""
    by_setting: defaultdict[str, list[Member]] = defaultdict(list)
    for member in several(given, _FILE, "The files ccipra-v…-f1 to f4.txt or ccioph-v…-f1 to f4.txt"):
        by_setting[_setting(member)].append(member)
    found = []
    for setting, members in by_setting.items():
        _complete(members)
        said = release("ptp", READER, members, _governed(given, members), AMA, setting)
        whole = msgspec.structs.replace(said, start=None, end=None, whole=True)
        found.append(TableSource(whole, partial(_frame, members, setting)))
    return found


def _setting(member: Member) -> str:
    found = next((setting for word, setting in SETTINGS.items() if word in member.short.lower()), None)
    if found is None:
        refuse(member, 0, 0, "the file name does not say its setting: ccipra or ccioph")
    return found


def _complete(members: list[Member]) -> None:
    """The parts are numbered from 1 without a gap, each once."""
    numbers = sorted(int(found[1]) for m in members if (found := _PART.search(m.short.rpartition(".")[0])))
    if len(members) > 1 and numbers != list(range(1, len(members) + 1)):
        raise refusal(
            f"Give each part f1, f2 … of one release once; here are {', '.join(m.short for m in members[:8])}"
        )


def _governed(given: Given, members: list[Member]) -> Governed:
    versions = {found.group() if (found := _VERSION.search(m.short)) else "" for m in members}
    if len(versions) > 1:
        raise refusal(f"The parts are of several releases: {', '.join(m.short for m in members[:8])}")
    found = _VERSION.search(members[0].short)
    said = f"{_FIRST_YEAR + int(found['year'])} {_MONTHS[int(found['quarter'])]}" if found else ""
    return governed(given, members[0], (r"(?P<year>20\d\d) (?P<month>\w{3})", said))


class _Columns:
    """The rows of all parts as numbers: a code and a day are looked up once for each different one."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.days: dict[str, int | None] = {"*": OPEN}
        self.first, self.second, self.start, self.end, self.line = (array("q") for _ in range(5))
        self.indicator = bytearray()

    def read(self, member: Member) -> None:
        """One file; refused at the first row that is damaged."""
        codes, days = self.codes, self.days
        for number, text in _lines(member):
            row = _ROW.fullmatch(text)
            if row is None:
                _refuse(member, number, text)
            first, second, start, end, indicator = row.groups()
            for day in (start, end):
                if day not in days:
                    days[day] = day_number(day)
            from_, until = days[start], days[end]
            if from_ is None or until is None:
                at = row.start(3) if from_ is None else row.start(4)
                refuse(member, number, at + 1, "a day as YYYYMMDD is expected")
            self.first.append(codes.setdefault(first, len(codes)))
            self.second.append(codes.setdefault(second, len(codes)))
            self.start.append(from_)
            self.end.append(until)
            self.indicator.append(ord(indicator))
            self.line.append(number)


def _frame(members: list[Member], setting: str) -> pl.DataFrame:
    columns, ends = _Columns(), []
    for member in members:
        columns.read(member)
        ends.append(len(columns.line))
    names = pl.Series(list(columns.codes), dtype=pl.String)
    first, second, start, end = (
        np.frombuffer(a, np.int64) if len(a) else np.zeros(0, np.int64)
        for a in (columns.first, columns.second, columns.start, columns.end)
    )
    if not len(first):
        refuse(members[0], 1, 1, "the file has no rows")
    last = np.where(end == OPEN, np.iinfo(np.int64).max, end)
    kept = last >= start  # a pair that was deleted from its first day on never held
    order = np.lexsort((start, second, first))
    order = order[kept[order]]
    a, b = order[:-1], order[1:]
    again = (first[a] == first[b]) & (second[a] == second[b]) & (start[b] <= last[a])
    if again.any():
        at = int(b[again].min())
        member = members[int(np.searchsorted(ends, at, "right"))]
        refuse(member, columns.line[at], 1, "the pair stands there twice for the same day")
    indicator = pl.Series(np.frombuffer(bytes(columns.indicator), np.uint8)[kept]).replace_strict(
        {ord(c): c for c in "019"}, return_dtype=pl.String
    )
    return pl.DataFrame(
        {
            "column1": names.gather(first[kept]),
            "column2": names.gather(second[kept]),
            "setting": pl.repeat(setting, int(kept.sum()), eager=True),
            "indicator": indicator,
            "start": start[kept],
            "end": pl.Series(end[kept]).replace(OPEN, None),
        }
    )


def _lines(member: Member) -> Iterator[tuple[int, str]]:
    """The lines below the header, which ends where a line begins with two codes or is a damaged row."""
    titled, below = False, False
    for number, text in member.lines("cp1252"):
        if not below:
            below = _ROW.fullmatch(text) is not None or _DAMAGED.fullmatch(text) is not None
            titled = titled or "column 1" in text.lower() or "column1" in text.lower()
            if (below and not titled) or (number > MAX_HEADER and not below):
                refuse(member, number, 1, "the header with Column 1 and Column 2 is missing above this line")
        if below and text.strip():
            yield number, text


_EXPECTED = (
    (CODE, "a code of five characters is expected"),
    (CODE, "a code of five characters is expected"),
    (re.compile(r"\*?"), "an asterisk or nothing is expected"),
    (re.compile(r"\d{8}"), "a day as YYYYMMDD is expected"),
    (re.compile(r"\d{8}|\*"), "a day as YYYYMMDD or an asterisk is expected"),
    (re.compile(r"[019]"), "the modifier indicator 0, 1 or 9 is expected"),
)


def _refuse(member: Member, number: int, text: str) -> NoReturn:
    """Say which field of a damaged row it is."""
    column = 1
    fields = text.split("\t")
    for field, (pattern, expected) in zip(fields, _EXPECTED, strict=False):
        if not pattern.fullmatch(field):
            refuse(member, number, column, expected)
        column += len(field) + 1
    refuse(member, number, column, f"{len(_EXPECTED)} or 7 fields are expected, this row has {len(fields)}")
