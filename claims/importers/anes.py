"""Read the anaesthesia conversion factors of Medicare's localities.

https://www.cms.gov/medicare/payment/fee-schedules/physician/anesthesiologists-center
"""

from __future__ import annotations

from functools import partial

import polars as pl

from claims.importers.reading import CMS, Gathered, framed, governed, locality, meant, named, release, scaled
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.rows import table

READER = "anes 1"
_APM = "factor for qualifying participants"
_COLUMNS = {
    "contractor": lambda h: "contractor" in h or h == "mac" or h == "carrier",
    "locality": lambda h: h.startswith("locality") and "name" not in h,
    _APM: lambda h: _is_factor(h) and "qualifying" in h and "non" not in h,
    "factor": lambda h: _is_factor(h) and ("qualifying" not in h or "non" in h),
}
_MOST = 10_000_000
"""In ten-thousandths: a thousand dollars for a unit."""


def read(given: Given) -> list[TableSource]:
    """One release, which governs its year; from 2026 with a factor for participants of advanced payment models."""
    member = given.need(r".*ANES.*\.csv", "The file ANESyyyy.csv")
    said = governed(given, member, (r"ANES\D{0,8}(?P<year>20\d\d)(?P<month>)", member.short))
    return [TableSource(release("anaesthesia_factor", READER, [member], said, CMS), partial(_frame, member))]


def _is_factor(heading: str) -> bool:
    return "conversion factor" in heading or "cf" in heading.replace("/", " ").split()


def _frame(member: Member) -> pl.DataFrame:
    found: Gathered | None = None
    for row in meant(table(member, (), encoding="cp1252", is_header=_is_header)):
        if found is None:
            at = named(row, _COLUMNS, (_APM,))
            found = Gathered(("carrier", "locality"), at["locality"])
        value = scaled(row, at["factor"], 4, _MOST)
        if not value:
            row.refuse(at["factor"], "a factor above nought is expected")
        apm = scaled(row, at[_APM], 4, _MOST) if _APM in at else None
        found.add(row, {**locality(row, at["contractor"], at["locality"]), "value": value, "apm": apm})
    return framed(found, member)


def _is_header(fields: list[str]) -> bool:
    folded = [" ".join(field.lower().split()) for field in fields]
    return any(f.startswith("locality") for f in folded) and any(_is_factor(f) for f in folded)
