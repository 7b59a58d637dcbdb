"""Read the alpha-numeric HCPCS file of CMS: text of fixed columns, workbook or CSV.

https://www.cms.gov/medicare/coding-billing/healthcare-common-procedure-system/quarterly-update
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from fhir_profiles.systems import HCPCS
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.hcpcs_fields import COLUMNS, DETAILED, LAYOUT, PROPERTIES, check, concept, is_level_one
from terminology.importers.load import ACCEPTED
from terminology.importers.release import MONTH, Release, release_of
from terminology.importers.rows import Row, fixed, table, under_header
from terminology.importers.stamp import stamp
from terminology.importers.workbook import sheet
from terminology.source import Source, SourceConcept

READER = "hcpcs-1"
_NAME = rf"HCPC(?P<year>20\d\d|\d\d)_?(?P<month>{MONTH})?"
_CODE, _MODIFIER = re.compile(r"[A-Z]\d{4}|\d{4}[0-9A-Z]"), re.compile(r"[0-9A-Z]{2}")
_RECORD = re.compile(r"([A-Z]\d{4}|   [0-9A-Z]{2})\d{5}[3478]")
_FIRST, _MORE = ("3", "7"), ("4", "8")
_NOTICE = 250
"""Columns up to which a line before the first record is one of the notice at the head of the file."""


def read(given: Given) -> list[Source]:
    """The edition in an alpha-numeric file; where text, workbook and CSV lie together, the text is read."""
    member = _member(given)
    release = release_of(given, member, (_NAME, member.short))
    dental = ACCEPTED in given.options  # D codes are of the American Dental Association
    concepts = list(_concepts(member, release, dental))
    if not concepts:
        refuse(member, 1, 1, "the file has no codes")
    mark = stamp(READER, [member], release.version, dental)
    return [
        Source(
            name="hcpcs",
            system=HCPCS,
            version=release.version,
            title="HCPCS Level II",
            start=release.start,
            end=release.end,
            content="complete",
            origin=f"CMS alpha-numeric file {member.short}",
            licence="US government work" + ("; D codes: American Dental Association" if dental else ""),
            fingerprint=mark.fingerprint,
            concepts=partial(iter, concepts),
            properties=PROPERTIES,
            files=mark.files,
            total=len(concepts),
        )
    ]


def _member(given: Given) -> Member:
    for kind in ("txt", "csv", "xlsx", "xls"):
        found = [m for m in given.all(rf"HCPC.*ANWEB.*\.{kind}") if "transaction" not in m.short.lower()]
        if len(found) > 1:
            raise refusal(f"Several files could be meant: {', '.join(sorted(m.name for m in found)[:5])}; give one")
        if found:
            return found[0]
    return given.need(r"HCPC.*ANWEB.*", "The alpha-numeric file HCPCyyyy_MMM_ANWEB.txt")


def _rows(member: Member) -> Iterator[Row]:
    kind = member.short.rpartition(".")[2].lower()
    if kind in ("xlsx", "xls"):
        return under_header(member, sheet(member), COLUMNS, _is_header, ragged=True)
    if kind == "csv":
        return table(member, COLUMNS, encoding="cp1252", is_header=_is_header)
    return _fixed(member)


def _is_header(fields: list[str]) -> bool:
    return "HCPC" in (f.strip().upper() for f in fields)


def _fixed(member: Member) -> Iterator[Row]:
    begun = False

    def is_notice(_: int, line: str) -> bool:
        nonlocal begun
        begun = begun or len(line.rstrip()) > _NOTICE or _RECORD.match(line) is not None
        return not begun or not line.strip()

    for row in fixed(member, LAYOUT, encoding="cp1252", shortest=12, longest=320, skip=is_notice):
        if row["RECID"] in _FIRST and not row.values["ACTION_CD"]:
            row.refuse("ACTION_CD", f"the line ends before column {DETAILED}")
        yield row


def _concepts(member: Member, release: Release, dental: bool) -> Iterator[SourceConcept]:
    for row, text in _entries(_rows(member)):
        procedure = row["RECID"] == "3"
        if is_level_one(row["HCPC"]) or (procedure and row["HCPC"].startswith("D") and not dental):
            continue
        yield concept(row, text, release)


def _entries(rows: Iterator[Row]) -> Iterator[tuple[Row, str]]:
    """The first record of each code with the text of all its records."""
    seen: set[str] = set()
    first: Row | None = None
    parts: list[str] = []
    last = 0
    for row in rows:
        number = _sequence(row)
        if row["RECID"] in _FIRST:
            if first is not None:
                yield first, " ".join(parts)
            _begin(row, seen)
            first, parts = row, []
        elif row["RECID"] in _MORE:
            if first is None or (row["HCPC"], row["RECID"]) != (first["HCPC"], _MORE[_FIRST.index(first["RECID"])]):
                row.refuse("HCPC", "a further line must follow the first line of its code")
            if number <= last:
                row.refuse("SEQNUM", "the sequence numbers of a code must rise")
        else:
            row.refuse("RECID", "3 or 4 (code), 7 or 8 (modifier) is expected")
        last = number
        if row["LONG_DESCRIPTION"]:
            parts.append(row["LONG_DESCRIPTION"])
    if first is not None:
        yield first, " ".join(parts)


def _begin(row: Row, seen: set[str]) -> None:
    code = row["HCPC"]
    if not (_MODIFIER if row["RECID"] == "7" else _CODE).fullmatch(code):
        row.refuse("HCPC", "a letter and four digits are expected, or two letters or digits for a modifier")
    if code in seen:
        row.refuse("HCPC", f"the code {code} stands twice")
    seen.add(code)
    check(row)


def _sequence(row: Row) -> int:
    if not row["SEQNUM"].isdecimal():
        row.refuse("SEQNUM", "a sequence number is expected")
    return int(row["SEQNUM"])
