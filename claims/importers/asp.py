"""Read the payment limits of drugs paid by their average sales price.

https://www.cms.gov/medicare/payment/part-b-drugs/asp-pricing-files
"""

from __future__ import annotations

from functools import partial

import polars as pl

from claims.importers.reading import AMA, Gathered, code, framed, governed, meant, named, release, scaled
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.release import MONTH
from terminology.importers.rows import table

READER = "asp 1"
_COLUMNS = {
    "code": lambda h: h.startswith("hcpcs code") and "dosage" not in h,
    "dose": lambda h: "dosage" in h,
    "payment limit": lambda h: h == "payment limit",
}
_MOST = 10**11


def read(given: Given) -> list[TableSource]:
    """One release: the limit of one billing unit in thousandths of a dollar, and its dose. It governs its quarter."""
    member = given.need(r".*ASP.*\.csv", "The file of ASP payment limits, as in October 2026 ASP Pricing File.csv")
    first = rf"(?P<month>{MONTH})[a-z]*[\s_-]*(?P<year>20\d\d)"
    days = governed(given, member, (first, member.short), (first, member.path.stem), quarter=True)
    return [TableSource(release("drug_price", READER, [member], days, AMA), partial(_frame, member))]


def _frame(member: Member) -> pl.DataFrame:
    found: Gathered | None = None
    headed = table(member, (), encoding="cp1252", is_header=lambda f: f[0].strip().lower().startswith("hcpcs"))
    for row in meant(headed):
        if found is None:
            at = named(row, _COLUMNS)
            found = Gathered(("code",), at["code"])
        price = scaled(row, at["payment limit"], 3, _MOST)
        if not price:
            row.refuse(at["payment limit"], "an amount above nought is expected")
        found.add(row, {"code": code(row, at["code"]), "price": price, "dose": row[at["dose"]] or None})
    return framed(found, member)
