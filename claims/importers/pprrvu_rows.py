"""The fields of the relative value file by which lines are paid: CSV of 31 columns, or text of fixed columns.

https://www.cms.gov/medicare/payment/fee-schedules/physician/pfs-relative-value-files
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from terminology.importers.given import Member, refuse
from terminology.importers.pprrvu_rows import rows as csv_rows
from terminology.importers.rows import Layout, Row, fixed

COLUMNS = (
    "code", "modifier", "", "status", "", "work", "pe_nonfacility", "na_nonfacility", "pe_facility", "na_facility",
    "mp", "", "", "pctc", "global_days", "pre", "intra", "post", "multiple", "bilateral", "assistant", "cosurgeon",
    "team", "endo_base", "factor", "supervision", "", "family", "opps_nonfacility", "opps_facility", "opps_mp",
)  # fmt: skip
"""What each column of the CSV is to us, nothing where it is not kept."""

_SAID = {
    "work": "WORK", "pe_nonfacility": "PE", "na_nonfacility": "NA", "pe_facility": "PE", "na_facility": "NA",
    "mp": "MP", "pre": "PRE", "intra": "INTRA", "post": "POST", "factor": "FACTOR", "opps_nonfacility": "OPPS",
    "opps_facility": "OPPS", "opps_mp": "OPPS",
}  # fmt: skip
"""A word of the heading, by which a column that moved is seen."""

TEXT: Layout = {
    "code": (1, 5), "modifier": (6, 7), "status": (58, 58), "work": (60, 65), "pe_nonfacility": (67, 72),
    "na_nonfacility": (73, 74), "pe_facility": (76, 81), "na_facility": (82, 83), "mp": (85, 89), "pctc": (103, 103),
    "global_days": (104, 106), "pre": (107, 109), "intra": (110, 112), "post": (113, 115), "multiple": (116, 116),
    "bilateral": (117, 117), "assistant": (118, 118), "cosurgeon": (119, 119), "team": (120, 120),
    "endo_base": (128, 132), "factor": (133, 140), "supervision": (142, 143), "family": (146, 147),
    "opps_nonfacility": (152, 157), "opps_facility": (159, 164), "opps_mp": (166, 171),
}  # fmt: skip
SHORTEST = 164
LONGEST = 210
MODIFIER = (re.compile(r"([0-9A-Z]{2})?"), "a modifier or nothing is expected")
STATUS = (re.compile(r"[A-Z]"), "a status letter is expected")


def rows(member: Member) -> Iterator[Row]:
    """The rows in either form, their fields under our names."""
    if member.short.lower().endswith(".txt"):
        return fixed(member, TEXT, encoding="cp1252", shortest=SHORTEST, longest=LONGEST, skip=_skip)
    return _csv(member)


def _skip(_: int, line: str) -> bool:
    return not line.strip() or line[:4] in ("HDR ", "TRL ") or line.strip() in ("HDR", "TRL")


def _csv(member: Member) -> Iterator[Row]:
    checked = False
    for row in csv_rows(member):
        if not checked:
            _check(row)
            checked = True
        yield _Kept(row)


class _Kept(Row):
    """A row whose fields are called as we call them."""

    __slots__ = ()

    def __init__(self, row: Row) -> None:
        headings = dict(zip(COLUMNS, row.values, strict=True))
        values = {name: row.values[heading] for name, heading in headings.items() if name}
        super().__init__(row.member, row.number, values, lambda name: (row.number, row.column_of(headings[name])))


def _check(row: Row) -> None:
    headings = list(row.values)
    if len(headings) != len(COLUMNS):
        refuse(row.member, row.number - 1, 0, f"{len(COLUMNS)} columns are expected, there are {len(headings)}")
    for number, (name, heading) in enumerate(zip(COLUMNS, headings, strict=True), 1):
        if _SAID.get(name, "") not in heading:
            refuse(row.member, row.number - 1, 0, f"column {number} should be called {_SAID[name]}")
