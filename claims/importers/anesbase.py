"""Read the base units of anaesthesia: code and units; descriptors are not kept.

https://www.cms.gov/medicare/payment/fee-schedules/physician/anesthesiologists-center
"""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from claims.importers.reading import AMA, Gathered, code, framed, governed, matched, meant, named, release
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.rows import table

READER = "anesbase 1"
_UNITS = re.compile(r"\d{1,2}|I\.?C\.?|")
_COLUMNS = {
    "code": lambda h: "code" in h or h in ("hcpcs", "cpt"),
    "base units": lambda h: "base" in h and "unit" in h,
}


def read(given: Given) -> list[TableSource]:
    """One release, which governs its year."""
    member = given.need(r".*BASE.?UNIT.*\.(csv|txt)", "The file of base units, as in Anesthesia-Base-Units-2026.csv")
    said = governed(given, member, (r"(?P<year>20\d\d)(?P<month>)", member.short))
    return [TableSource(release("anaesthesia", READER, [member], said, AMA), partial(_frame, member))]


def _frame(member: Member) -> pl.DataFrame:
    found: Gathered | None = None
    delimiter = "\t" if member.short.lower().endswith(".txt") else ","
    for row in meant(table(member, (), delimiter=delimiter, encoding="cp1252", is_header=_is_header)):
        if found is None:
            at = named(row, _COLUMNS)
            found = Gathered(("code",), at["code"])
        units = matched(row, at["base units"], _UNITS, "a number of base units, or IC, is expected")
        one = code(row, at["code"])
        if units.isdigit():  # IC: the carrier decides
            found.add(row, {"code": one, "units": int(units)})
    return framed(found, member)


def _is_header(fields: list[str]) -> bool:
    folded = [" ".join(field.lower().split()) for field in fields]
    return (
        len(folded) > 1 and any(_COLUMNS["code"](f) for f in folded) and any(_COLUMNS["base units"](f) for f in folded)
    )
