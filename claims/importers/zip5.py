"""Read the ZIP codes of Medicare's carriers and localities: text of 80 columns.

https://www.cms.gov/medicare/payment/fee-schedules
"""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from claims.importers.reading import CMS, Gathered, Governed, framed, governed, locality, matched, release
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.rows import Layout, Row, fixed

READER = "zip5 1"
LAYOUT: Layout = {
    "STATE": (1, 2), "ZIP": (3, 7), "CARRIER": (8, 12), "LOCALITY": (13, 14), "RURAL": (15, 15), "PERIOD": (76, 80),
}  # fmt: skip
LENGTH = 80
_STATE = re.compile(r"[A-Z]{2}")
_ZIP = re.compile(r"\d{5}")
_RURAL = re.compile(r"[RB]?")
_PERIOD = re.compile(r"20\d\d[1-4]")
_MONTHS = {"1": "Jan", "2": "Apr", "3": "Jul", "4": "Oct"}


def read(given: Given) -> list[TableSource]:
    """One release; year and quarter stand in every row."""
    member = given.need(r"ZIP5.*\.txt", "The file ZIP5_MMMyyyy.txt")
    return [TableSource(release("zip", READER, [member], _governed(given, member), CMS), partial(_frame, member))]


def _rows(member: Member) -> list[Row]:
    return list(fixed(member, LAYOUT, encoding="cp1252", shortest=LENGTH, longest=LENGTH))


def _governed(given: Given, member: Member) -> Governed:
    _, line = next(member.lines("cp1252"), (1, ""))
    first, last = LAYOUT["PERIOD"]
    period = line[first - 1 : last]
    said = f"{period[:4]} {_MONTHS[period[4]]}" if _PERIOD.fullmatch(period) else ""
    return governed(given, member, (r"(?P<year>20\d\d) (?P<month>\w{3})", said))


def _frame(member: Member) -> pl.DataFrame:
    gathered = Gathered(("zip",), "ZIP")
    period = ""
    for row in _rows(member):
        said = matched(row, "PERIOD", _PERIOD, "year and quarter, as in 20254, are expected")
        period = period or said
        if said != period:
            row.refuse("PERIOD", "the quarter is not that of the first row")
        values = {
            "zip": matched(row, "ZIP", _ZIP, "a ZIP code of five digits is expected"),
            "state": matched(row, "STATE", _STATE, "a state of two letters is expected"),
            **locality(row, "CARRIER", "LOCALITY"),
            "rural": matched(row, "RURAL", _RURAL, "R, B or a blank is expected") or None,
        }
        gathered.add(row, values)
    return framed(gathered, member)
