"""Read the clinical laboratory fee schedule; descriptors are not kept.

https://www.cms.gov/medicare/payment/fee-schedules/clinical-laboratory-fee-schedule-clfs
"""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from claims.importers.reading import AMA, Gathered, code, framed, governed, matched, meant, release, scaled
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.rows import table

READER = "clfs 1"
_COLUMNS = ("YEAR", "HCPCS", "MOD", "RATE")
_MODIFIER = re.compile(r"([0-9A-Z]{2})?")
_QUARTERS = {"1": "Jan", "2": "Apr", "3": "Jul", "4": "Oct"}
_QUARTER = re.compile(r"(20\d\d|\d\d)[\s_-]*(?:CLF|Q|QTR)+[\s_-]*([1-4])", re.IGNORECASE)
_MOST = 10**9


def read(given: Given) -> list[TableSource]:
    """One release: the national rate of each test in cents."""
    member = given.need(r".*CLF.*\.(csv|txt)", "The file CLFS_yyyy_Qn.csv")
    found = _QUARTER.search(member.short)
    said = f"{2000 + int(found[1]) % 100} {_QUARTERS[found[2]]}" if found else ""
    days = governed(given, member, (r"(?P<year>20\d\d) (?P<month>\w{3})", said))
    return [TableSource(release("lab_price", READER, [member], days, AMA), partial(_frame, member, days.start.year))]


def _frame(member: Member, year: int) -> pl.DataFrame:
    gathered = Gathered(("code", "modifier"), "HCPCS")
    delimiter = "~" if member.short.lower().endswith(".txt") else ","
    headed = table(
        member, _COLUMNS, delimiter=delimiter, encoding="cp1252", is_header=lambda f: f[0].strip().upper() == "YEAR"
    )
    for row in meant(headed):
        if row["YEAR"] != str(year):
            row.refuse("YEAR", f"the year {year} of the file is expected")
        values = {
            "code": code(row, "HCPCS"),
            "modifier": matched(row, "MOD", _MODIFIER, "a modifier or nothing is expected"),
            "price": scaled(row, "RATE", 2, _MOST),
        }
        gathered.add(row, values)
    return framed(gathered, member)
