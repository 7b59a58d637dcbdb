"""Read the published prices of the physician fee schedule: quoted values without a header, closed by a trailer.

https://www.cms.gov/medicare/payment/fee-schedules/physician/carrier-specific-files

The list is what our own prices are held against: see `claims.importers.check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import polars as pl

from claims.importers.reading import AMA, Gathered, code, framed, governed, locality, matched, release, scaled
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member, refuse
from terminology.importers.rows import Row, records

READER = "pfall 1"
FIELDS = (
    "year", "carrier", "locality", "code", "modifier", "nonfacility", "facility", "filler", "pctc", "status",
    "multiple", "therapy", "therapy_institution", "opps", "opps_nonfacility", "opps_facility",
)  # fmt: skip
_YEAR = re.compile(r"20\d\d")
_MODIFIER = re.compile(r"([0-9A-Z]{2})?")
_QUARTERS = {"A": "Jan", "B": "Apr", "C": "Jul", "D": "Oct"}
_NAME = re.compile(r"PF(?:ALL|REV)(?:20)?(\d\d)([A-D]?)", re.IGNORECASE)
_MOST = 10**9


def read(given: Given) -> list[TableSource]:
    """One release: the price of each code in each locality, outside and inside a facility."""
    member = given.need(r"PF(ALL|REV).*\.txt", "The file PFALLyyX.txt")
    found = _NAME.search(member.short)
    said = f"20{found[1]} {_QUARTERS[found[2].upper() or 'A']}" if found else ""
    days = governed(given, member, (r"(?P<year>20\d\d) (?P<month>\w{3})", said))
    source = release("price_list", READER, [member], days, AMA)
    return [TableSource(source, partial(_frame, member, days.start.year))]


def _frame(member: Member, year: int) -> pl.DataFrame:
    gathered = Gathered(("code", "modifier", "carrier", "locality"), "code")
    for row in _rows(member):
        if matched(row, "year", _YEAR, "a year is expected") != str(year):
            row.refuse("year", f"the year {year} of the file is expected")
        values = {
            "code": code(row, "code"),
            "modifier": matched(row, "modifier", _MODIFIER, "a modifier or nothing is expected"),
            **locality(row, "carrier", "locality"),
            "nonfacility": scaled(row, "nonfacility", 2, _MOST),
            "facility": scaled(row, "facility", 2, _MOST),
        }
        gathered.add(row, values)
    return framed(gathered, member)


def _rows(member: Member) -> Iterator[Row]:
    closed = False
    for record in records(member, encoding="cp1252"):
        if record.fields[0].strip().upper().startswith("TRL"):
            closed = True
            continue
        if len(record.fields) != len(FIELDS) or closed:
            record.refuse(0, f"{len(FIELDS)} fields are expected above the trailer, this row has {len(record.fields)}")
        yield record.row(FIELDS)
    if not closed:
        refuse(member, 0, 0, "the trailer TRL is missing: the file was cut")
