"""Read the geographic practice cost indices of Medicare's localities.

https://www.cms.gov/medicare/payment/fee-schedules/physician/pfs-relative-value-files

Of the two indices for work, with and without the floor of 1.0, the one with the floor is paid where the file has both.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from claims.importers.reading import CMS, Gathered, framed, governed, locality, meant, named, release, scaled
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.rows import table

READER = "gpci 1"
_COLUMNS = {
    "contractor": lambda h: "contractor" in h or h == "mac",
    "locality": lambda h: h.startswith("locality") and "name" not in h,
    "work index with floor": lambda h: ("pw gpci" in h or "work" in h) and "with 1.0 floor" in h,
    "work index": lambda h: "pw gpci" in h or "work" in h,
    "practice expense index": lambda h: "pe gpci" in h or "practice expense" in h,
    "malpractice index": lambda h: "mp gpci" in h or "malpractice" in h,
}
_MOST = 9_999
"""In thousandths: no index comes near to ten."""


def read(given: Given) -> list[TableSource]:
    """One release, which governs its year."""
    member = given.need(r".*GPCI.*\.csv", "The file GPCIyyyy.csv")
    said = governed(given, member, (r"GPCI\D{0,3}(?P<year>20\d\d)(?P<month>)", member.short))
    return [TableSource(release("gpci", READER, [member], said, CMS), partial(_frame, member))]


def _frame(member: Member) -> pl.DataFrame:
    found: Gathered | None = None
    for row in meant(table(member, (), encoding="cp1252", is_header=_is_header)):
        if found is None:
            at = named(row, _COLUMNS, ("work index with floor",))
            found = Gathered(("carrier", "locality"), at["locality"])
        work = at.get("work index with floor", at["work index"])
        headings = {"work": work, "pe": at["practice expense index"], "mp": at["malpractice index"]}
        indices = {name: scaled(row, heading, 3, _MOST) for name, heading in headings.items()}
        for name, heading in headings.items():
            if not indices[name]:
                row.refuse(heading, "an index above nought is expected")
        found.add(row, {**locality(row, at["contractor"], at["locality"]), **indices})
    return framed(found, member)


def _is_header(fields: list[str]) -> bool:
    text = " ".join(fields).lower()
    return "gpci" in text and "locality" in text
