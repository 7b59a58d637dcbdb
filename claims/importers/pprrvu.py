"""Read the relative value file of Medicare's physician fee schedule: what each code is paid by, and the factor.

https://www.cms.gov/medicare/payment/fee-schedules/physician/pfs-relative-value-files

Descriptors are not kept. From 2026 there are two files, which differ in the conversion factor alone: the one named QPP
is for qualifying participants of advanced payment models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

import polars as pl

from claims.importers.pprrvu_rows import MODIFIER, STATUS, rows
from claims.importers.reading import AMA, CMS, Gathered, Governed, code, framed, governed, matched, release, scaled
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.pprrvu_rows import title_of
from terminology.importers.release import MONTH
from terminology.importers.rows import Row

READER = "pprrvu 1"
AMOUNTS = ("work", "pe_nonfacility", "pe_facility", "mp", "opps_nonfacility", "opps_facility", "opps_mp")
SHARES = ("pre", "intra", "post")
_INDICATOR = re.compile(r"\d")
_MATCHED = {
    **dict.fromkeys(
        ("pctc", "multiple", "bilateral", "assistant", "cosurgeon", "team"),
        (_INDICATOR, "an indicator of one digit is expected"),
    ),
    **dict.fromkeys(("na_nonfacility", "na_facility"), (re.compile(r"(NA)?"), "NA or nothing is expected")),
    "global_days": (re.compile(r"\d{3}|[MXYZ]{3}"), "a global period such as 010 or XXX is expected"),
    "endo_base": (re.compile(r"(\d{4}[0-9A-Z]|[A-Z]\d{4})?"), "a code or nothing is expected"),
    "supervision": (re.compile(r"([0-9A-Z]{2})?"), "two characters or nothing are expected"),
    "family": (re.compile(r"(\d{2})?"), "two digits or nothing are expected"),
}
_FILE = r"PPRRVU.*\.(csv|txt)"
_NAME = rf"PPRRVU(?P<year>20\d\d|\d\d)_?(?P<month>{MONTH})?"
_TITLE = rf"(?P<year>20\d\d) National Physician Fee Schedule Relative Value File (?P<month>{MONTH})"
_MOST_RVU = 10_000_000
_MOST_FACTOR = 10_000_000


def read(given: Given) -> list[TableSource]:
    """The relative values, and a conversion factor from each file."""
    members = _members(given)
    first = members[0]
    said = _governed(given, first)
    found = [TableSource(release("rvu", READER, [first], said, AMA), partial(_values, first))]
    for member in members:
        kind = kind_of(member)
        part = release("factor", READER, [member], _governed(given, member), CMS, kind)
        found.append(TableSource(part, partial(_factor, member, kind)))
    return found


def kind_of(member: Member) -> str:
    """Whose factor a file has: apm or standard."""
    name = member.short.lower()
    return "apm" if "qpp" in name and "nonqpp" not in name.replace("_", "").replace("-", "") else "standard"


def _members(given: Given) -> list[Member]:
    """One file for each factor, that of all first; of its two forms the CSV."""
    by_kind: dict[str, Member] = {}
    for member in sorted(given.all(_FILE), key=lambda m: (m.short.lower().endswith(".txt"), m.name)):
        known = by_kind.setdefault(kind_of(member), member)
        if known.short.rpartition(".")[0].lower() != member.short.rpartition(".")[0].lower():
            raise refusal(f"Several files could be meant: {known.name}, {member.name}; give one")
    if not by_kind:
        by_kind["standard"] = given.need(_FILE, "The relative value file PPRRVUyy_MMM.csv or .txt")
    return [by_kind[kind] for kind in ("standard", "apm") if kind in by_kind]


def _governed(given: Given, member: Member) -> Governed:
    return governed(given, member, (_NAME, member.short), (_TITLE, title_of(member)))


def _values(member: Member) -> pl.DataFrame:
    gathered = Gathered(("code", "modifier"), "code")
    for row in rows(member):
        gathered.add(row, _value(row))
    return framed(gathered, member)


def _value(row: Row) -> Mapping[str, object]:
    found: dict[str, object] = {
        "code": code(row, "code"),
        "modifier": matched(row, "modifier", *MODIFIER),
        "status": matched(row, "status", *STATUS),
    }
    for name in AMOUNTS:
        found[name] = scaled(row, name, 2, _MOST_RVU)
    for name in SHARES:
        found[name] = _share(row, name)
    for name, (pattern, expected) in _MATCHED.items():
        found[name] = matched(row, name, pattern, expected) or None
    return found


def _share(row: Row, name: str) -> int:
    """Hundredths of the whole: 0.69, or 069 where the columns are too narrow for a point."""
    text = row[name]
    share = int(text) if re.fullmatch(r"\d{3}", text) else scaled(row, name, 2)
    if share > 100:
        row.refuse(name, "a share of at most 1.00 is expected")
    return share


def _factor(member: Member, kind: str) -> pl.DataFrame:
    """The one factor that all rows have; rows without a payment may have none."""
    return pl.DataFrame({"kind": [kind], "value": [_one(member, rows(member))]})


def _one(member: Member, found: Iterator[Row]) -> int:
    factor = 0
    for row in found:
        value = scaled(row, "factor", 4, _MOST_FACTOR)
        if value and factor and value != factor:
            row.refuse("factor", "the conversion factor is not that of the rows above")
        factor = value or factor
    if not factor:
        refuse(member, 1, 1, "no row has a conversion factor")
    return factor
