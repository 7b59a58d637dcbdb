"""What the readers share: which release a file is, amounts as whole numbers, and rows that stand once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from claims.sheet.values import EPOCH
from claims.tables.store import Release
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.release import release_of
from terminology.importers.rows import Row
from terminology.importers.stamp import stamp

CODE = re.compile(r"[A-Z]\d{4}|\d{4}[0-9A-Z]")
AMA = "CPT codes: copyright American Medical Association; US government work"
CMS = "US government work"
_AMOUNT = re.compile(r"(\d{0,9})(?:\.(\d{0,9}))?")


@dataclass(frozen=True, slots=True)
class Governed:
    """The name of a release and the days of service that it governs."""

    name: str
    start: date
    end: date


def governed(given: Given, member: Member, *places: tuple[str, str], quarter: bool = False) -> Governed:
    """What a text says of the release (see `release_of`): until the next one, not beyond its year or quarter."""
    found = release_of(given, member, *places)
    name = found.version if given.start is None else given.start.isoformat()
    return Governed(name, found.start, found.end if quarter else given.end or date(found.start.year, 12, 31))


def release(
    table: str, reader: str, members: Sequence[Member], days: Governed, licence: str = CMS, part: str = ""
) -> Release:
    """The release of a table that some files hold."""
    mark = stamp(reader, members, table, days, part)
    return Release(
        table=table,
        name=f"{days.name}-{part}" if part else days.name,
        start=days.start,
        end=days.end,
        source=", ".join(name for name, _ in mark.files),
        licence=licence,
        fingerprint=mark.fingerprint,
        part=part,
    )


def several(given: Given, pattern: str, described: str) -> list[Member]:
    """The files of that name; a single file given by itself may have any name. Refused where there is none."""
    found = given.all(pattern)
    if found:
        return sorted(found, key=lambda member: member.name)
    if len(given.members) == 1:
        return list(given.members)
    raise refusal(f"{described} is missing")


def scaled(row: Row, name: str, places: int, most: int = 10**9) -> int:
    """An amount in units of its last of `places` decimals, 0 for an empty field; refused where it has more."""
    text = row[name].replace(",", "").removeprefix("$").strip()
    found = _AMOUNT.fullmatch(text)
    if found is None or text == ".":
        row.refuse(name, "an amount is expected")
    decimals = (found[2] or "").rstrip("0")
    if len(decimals) > places:
        row.refuse(name, f"an amount of at most {places} decimals is expected")
    amount = int(found[1] or 0) * int(10**places) + int(decimals.ljust(places, "0") or 0)
    if amount > most:
        row.refuse(name, "the amount is too large")
    return amount


def matched(row: Row, name: str, pattern: re.Pattern[str], expected: str) -> str:
    """The field; refused where it is not as expected."""
    text = row[name]
    if not pattern.fullmatch(text):
        row.refuse(name, expected)
    return text


def code(row: Row, name: str) -> str:
    """A code of HCPCS or CPT."""
    return matched(row, name, CODE, "a code of five characters is expected")


_CARRIER = re.compile(r"\d{4,5}")
_LOCALITY = re.compile(r"\d{1,2}")


def locality(row: Row, carrier: str, number: str) -> dict[str, str]:
    """Carrier and locality, with the zeros that spreadsheets drop."""
    return {
        "carrier": matched(row, carrier, _CARRIER, "a contractor of five digits is expected").zfill(5),
        "locality": matched(row, number, _LOCALITY, "a locality of two digits is expected").zfill(2),
    }


def day_in(row: Row, name: str) -> int | None:
    """A day as YYYYMMDD, in days since 1970; None for an empty field or `*`."""
    text = row[name]
    if text in ("", "*"):
        return None
    found = day_number(text)
    if found is None:
        row.refuse(name, "a day as YYYYMMDD is expected")
    return found


def day_number(text: str) -> int | None:
    """The number of a day as YYYYMMDD; None where it is none."""
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal() - EPOCH
    except ValueError:
        return None


def days(of: date) -> int:
    """The number of a day."""
    return of.toordinal() - EPOCH


class Gathered:
    """The rows of a table while they are read; a key that stands twice is refused where it stands again."""

    def __init__(self, keys: Sequence[str], at: str) -> None:
        """`at` is the field of the file that a refusal points to."""
        self._keys = keys
        self._at = at
        self._seen: set[tuple[Any, ...]] = set()
        self._texts: dict[str, str] = {}  # one object for each text, however often it stands there
        self.columns: defaultdict[str, list[Any]] = defaultdict(list)

    def add(self, row: Row, values: Mapping[str, Any]) -> None:
        """One more row, with the same columns as all others."""
        shared = {name: self._texts.setdefault(v, v) if isinstance(v, str) else v for name, v in values.items()}
        key = tuple(shared[name] for name in self._keys)
        if key in self._seen:
            row.refuse(self._at, "this stands in the file twice")
        self._seen.add(key)
        for name, value in shared.items():
            self.columns[name].append(value)


def framed(gathered: Gathered | None, member: Member) -> pl.DataFrame:
    """The rows as a frame; refused where there is none."""
    if gathered is None or not gathered.columns:
        refuse(member, 1, 1, "the file has no rows")
    return pl.DataFrame(dict(gathered.columns))


def named(row: Row, wanted: Mapping[str, Callable[[str], bool]], optional: Sequence[str] = ()) -> dict[str, str]:
    """The columns of a file whose headings change with the year: what we call each → its heading.

    The first heading that fits is taken; refused where none does, but for the optional.
    """
    found = {}
    for name, fits in wanted.items():
        heading = next((h for h in row.values if fits(" ".join(h.casefold().replace("_", " ").split()))), None)
        if heading is not None:
            found[name] = heading
        elif name not in optional:
            refuse(row.member, row.number - 1, 0, f"the column of the {name} is missing")
    return found


def meant(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows but for notes below a table: one text in the first field."""
    for row in rows:
        first, *rest = row.values.values()
        if any(rest) or not first.strip() or len(first.strip()) <= MAX_KEY:
            yield row


MAX_KEY = 8
"""Characters of the longest key in a first column; a longer text that stands alone is a note."""
