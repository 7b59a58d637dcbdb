"""Read which counties Medicare's localities are made of.

https://www.cms.gov/medicare/payment/fee-schedules/physician/pfs-relative-value-files

The state stands in the first row of its localities alone. Spreadsheets have dropped the zeros of localities.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from claims.importers.reading import CMS, Gathered, framed, governed, locality, named, release
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.rows import Row, table

READER = "locco 1"
_COLUMNS = {
    "contractor": lambda h: "contractor" in h or h in ("mac", "carrier", "carrier number"),
    "locality": lambda h: h.startswith("locality"),
    "state": lambda h: h.startswith("state"),
    "area": lambda h: "area" in h,
    "counties": lambda h: "count" in h,
}


def read(given: Given) -> list[TableSource]:
    """One release, which governs its year."""
    member = given.need(r".*LOCCO.*\.csv", "The file yyLOCCO.csv")
    said = governed(given, member, (r"(?P<year>20\d\d|\d\d)LOCCO(?P<month>)", member.short))
    return [TableSource(release("locality", READER, [member], said, CMS), partial(_frame, member))]


def _frame(member: Member) -> pl.DataFrame:
    found: Gathered | None = None
    state = ""
    for row in table(member, (), encoding="cp1252", is_header=_is_header):
        if found is None:
            at = named(row, _COLUMNS)
            found = Gathered(("carrier", "locality"), at["locality"])
        if _is_note(row):
            continue
        state = row[at["state"]].title() or state
        if not state:
            row.refuse(at["state"], "a state is expected")
        if not row[at["area"]]:
            row.refuse(at["area"], "an area is expected")
        place = locality(row, at["contractor"], at["locality"])
        found.add(row, {**place, "state": state, "area": row[at["area"]], "counties": row[at["counties"]] or None})
    return framed(found, member)


def _is_note(row: Row) -> bool:
    """A text that stands alone, in whichever field."""
    said = [value for value in row.values.values() if value.strip()]
    return len(said) == 1


def _is_header(fields: list[str]) -> bool:
    folded = [" ".join(field.lower().split()) for field in fields]
    return any(f.startswith("locality") for f in folded) and any("count" in f for f in folded)
