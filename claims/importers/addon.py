"""Read the add-on code edits: which codes are billed only beside a primary one (tab-separated under a header).

https://www.cms.gov/medicare/coding-billing/national-correct-coding-initiative-ncci-edits/medicare-ncci-add-code-edits

Type 1 names its primary codes, of type 2 the contractors name them, type 3 names some of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

import msgspec
import polars as pl

from claims.importers.reading import AMA, CODE, Governed, code, day_in, governed, matched, named, release
from claims.tables.store import Release, TableSource
from terminology.importers.given import Given, Member, refuse
from terminology.importers.release import MONTH
from terminology.importers.rows import Row, table

READER = "addon 1"
_TYPE = re.compile(r"(?:Type )?([123])", re.IGNORECASE)
_OPEN = 10**9
_QUARTERS = {"1": "Jan", "2": "Apr", "3": "Jul", "4": "Oct"}


def _is_date(heading: str) -> bool:
    return any(word in heading for word in ("eff", "del", "date", "dt"))


def _is_primary(heading: str) -> bool:
    return "primary" in heading


_COLUMNS = {
    "add-on code": lambda h: "add" in h and "code" in h and "type" not in h and not _is_date(h) and not _is_primary(h),
    "type": lambda h: "type" in h,
    "primary code": lambda h: _is_primary(h) and not _is_date(h),
    "first day": lambda h: "eff" in h and not _is_primary(h),
    "last day": lambda h: ("del" in h or "end" in h) and not _is_primary(h),
    "first day of the primary code": lambda h: "eff" in h and _is_primary(h),
    "last day of the primary code": lambda h: ("del" in h or "end" in h) and _is_primary(h),
}
_OPTIONAL = tuple(_COLUMNS)[3:]
Periods = dict[tuple[str, ...], tuple[int, int]]


def read(given: Given) -> list[TableSource]:
    """Two tables: the add-on codes with their type, and their primary codes."""
    member = given.need(r".*AOC.*\.txt", "The file AOC_V….txt")
    days = _governed(given, member)
    return [
        TableSource(_release(name, member, days), partial(frame, member))
        for name, frame in (("addon", _codes), ("addon_primary", _primaries))
    ]


def _governed(given: Given, member: Member) -> Governed:
    """The quarter stands in the file name as 2025Q4, or the month as JAN2025."""
    found = re.search(r"(20\d\d)[-_ ]?Q([1-4])", member.short, re.IGNORECASE)
    said = f"{found[1]} {_QUARTERS[found[2]]}" if found else ""
    named_by = rf"(?P<month>{MONTH})\w{{0,6}}[-_ ]?(?P<year>20\d\d)"
    return governed(given, member, (r"(?P<year>20\d\d) (?P<month>\w{3})", said), (named_by, member.short))


def _release(name: str, member: Member, days: Governed) -> Release:
    """A file with days of effect holds all of its codes since the first: the newest alone is asked."""
    said = release(name, READER, [member], days, AMA)
    dated = any("first day" in names for _, names in _rows(member, check=False))
    return msgspec.structs.replace(said, start=None, end=None, whole=True) if dated else said


def _rows(member: Member, check: bool = True) -> Iterator[tuple[Row, Mapping[str, str]]]:
    names: Mapping[str, str] | None = None
    headed = table(member, (), delimiter="\t", encoding="cp1252", quoted=False, is_header=_is_header)
    for row in headed:
        names = names or named(row, _COLUMNS, _OPTIONAL)
        yield row, names
        if not check:
            return
    if names is None:
        refuse(member, 1, 1, "the file has no rows")


def _is_header(fields: list[str]) -> bool:
    text = " ".join(fields).lower()
    return len(fields) > 2 and "primary" in text and "type" in text


def _codes(member: Member) -> pl.DataFrame:
    """Each add-on code once, over all days of its rows; with several types the one that leaves most open."""
    types: dict[str, str] = {}
    periods: dict[str, tuple[int, int]] = {}
    for row, names in _rows(member):
        add, kind = _read(row, names)
        first, last = _period(row, names, "")
        known = periods.get(add, (first, last))
        periods[add] = (min(first, known[0]), max(last, known[1]))
        types[add] = kind if types.get(add, kind) == kind else "3"
    return pl.DataFrame(
        [{"code": add, "type": types[add], **_dated(first, last)} for add, (first, last) in periods.items()],
        infer_schema_length=None,
    )


def _primaries(member: Member) -> pl.DataFrame:
    """Each pair with its periods; a row of type 2 may name no primary code."""
    found: list[dict[str, object]] = []
    last_of: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row, names in _rows(member):
        add, kind = _read(row, names)
        primary = row[names["primary code"]]
        if not CODE.fullmatch(primary):
            if kind == "1":
                row.refuse(names["primary code"], "a code of five characters is expected")
            continue
        first, last = _period(row, names, "")
        later, sooner = _period(row, names, " of the primary code")
        first, last = max(first, later), min(last, sooner)
        periods = last_of.setdefault((add, primary), [])
        if any(first <= until and from_ <= last for from_, until in periods):
            row.refuse(names["add-on code"], "the pair stands in the file twice for the same day")
        periods.append((first, last))
        if first <= last:
            found.append({"code": add, "primary": primary, "type": kind, **_dated(first, last)})
    schema = {"code": pl.String, "primary": pl.String, "type": pl.String, "start": pl.Int64, "end": pl.Int64}
    return pl.DataFrame(found, schema=schema)


def _read(row: Row, names: Mapping[str, str]) -> tuple[str, str]:
    kind = matched(row, names["type"], _TYPE, "an add-on type of 1, 2 or 3 is expected")
    return code(row, names["add-on code"]), kind[-1]


def _period(row: Row, names: Mapping[str, str], of: str) -> tuple[int, int]:
    first = day_in(row, names[f"first day{of}"]) if f"first day{of}" in names else None
    last = day_in(row, names[f"last day{of}"]) if f"last day{of}" in names else None
    return (0 if first is None else first), (_OPEN if last is None else last)


def _dated(first: int, last: int) -> dict[str, int | None]:
    return {"start": first or None, "end": None if last == _OPEN else last}
