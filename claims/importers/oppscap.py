"""Read the amounts to which the technical component of imaging is capped (Social Security Act, 1848(b)(4)).

https://www.cms.gov/medicare/payment/fee-schedules/physician/pfs-relative-value-files

The file lists six Californian localities under contractor 01112; the other files of the same release have them under
01182, and so do we.
"""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from claims.importers.reading import AMA, Gathered, code, framed, governed, locality, matched, meant, release, scaled
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.release import MONTH
from terminology.importers.rows import table

READER = "oppscap 1"
MOVED = {("01112", number): "01182" for number in ("17", "18", "71", "72", "73", "74")}
_COLUMNS = ("HCPCS", "MOD", "PROCSTAT", "CARRIER", "LOCALITY", "FACILITY PRICE", "NON-FACILITY PRICE")
_MODIFIER = re.compile(r"([0-9A-Z]{2})?")
_STATUS = re.compile(r"[A-Z]")
_MOST = 10**9
_NAME = rf"OPPSCAP\D?(?P<year>20\d\d)?_?(?P<month>{MONTH})?"


def read(given: Given) -> list[TableSource]:
    """One release: the cap of each code in each locality, inside and outside a facility."""
    member = given.need(r"OPPSCAP.*\.csv", "The file OPPSCAP_MMM.csv")
    found = re.search(_NAME, member.short, re.IGNORECASE)
    year = (found["year"] if found else None) or _year_of_folder(member)
    if found is None or not found["month"] or not year:
        said = governed(given, member)
    else:
        said = governed(given, member, (r"(?P<year>20\d\d) (?P<month>\w+)", f"{year} {found['month']}"))
    return [TableSource(release("opps_cap", READER, [member], said, AMA), partial(_frame, member))]


def _year_of_folder(member: Member) -> str | None:
    """The year in the name of the archive or the folder: RVU25D."""
    for name in (member.path.stem, member.path.parent.name):
        found = re.fullmatch(r"RVU(\d\d)[A-D].*", name, re.IGNORECASE)
        if found:
            return f"20{found[1]}"
    return None


def _frame(member: Member) -> pl.DataFrame:
    gathered = Gathered(("code", "modifier", "carrier", "locality"), "HCPCS")
    headed = table(member, _COLUMNS, encoding="cp1252", is_header=lambda f: f[0].strip().upper() == "HCPCS")
    for row in meant(headed):
        matched(row, "PROCSTAT", _STATUS, "a status letter is expected")
        place = locality(row, "CARRIER", "LOCALITY")
        place["carrier"] = MOVED.get((place["carrier"], place["locality"]), place["carrier"])
        values = {
            "code": code(row, "HCPCS"),
            "modifier": matched(row, "MOD", _MODIFIER, "a modifier or nothing is expected"),
            **place,
            "facility": scaled(row, "FACILITY PRICE", 2, _MOST),
            "nonfacility": scaled(row, "NON-FACILITY PRICE", 2, _MOST),
        }
        gathered.add(row, values)
    return framed(gathered, member)
