"""Read the edits of the integrated outpatient code editor: `DSC_Edit.txt` of its data files.

https://www.cms.gov/medicare/coding-billing/outpatient-code-editor-oce

LO_VERSION and HI_VERSION are versions of the editor between which an edit has the disposition and the name.
"""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from claims.importers.reading import CMS, Gathered, framed, governed, matched, release
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member
from terminology.importers.release import MONTH
from terminology.importers.rows import table

READER = "ioce 1"
_COLUMNS = ("EDIT", "LO_VERSION", "HI_VERSION", "DISPOSITION_ID", "BUFFER", "NAME", "DESCRIPTION")
_EDIT = re.compile(r"\d{1,3}")
_VERSION = re.compile(r"\d{1,4}(\.\d{1,3})?")


def read(given: Given) -> list[TableSource]:
    """One release; the name of the archive may say it, as in IOCE-January-2026.zip."""
    member = given.need(r".*DSC_Edit.*\.txt", "The file DSC_Edit.txt")
    month = rf"(?P<month>{MONTH})[a-z]*[\s_-]*(?P<year>20\d\d)"
    said = governed(given, member, (month, member.short), (month, member.path.stem))
    return [TableSource(release("ioce_edit", READER, [member], said, CMS), partial(_frame, member))]


def _frame(member: Member) -> pl.DataFrame:
    found = Gathered(("edit", "first"), "EDIT")
    for row in table(member, _COLUMNS, delimiter=_delimiter(member), encoding="cp1252"):
        first = matched(row, "LO_VERSION", _VERSION, "a version is expected")
        last = matched(row, "HI_VERSION", _VERSION, "a version is expected")
        if float(last) < float(first):
            row.refuse("HI_VERSION", "the last version comes before the first")
        found.add(
            row,
            {
                "edit": str(int(matched(row, "EDIT", _EDIT, "the number of an edit is expected"))),
                "first": first,
                "last": last,
                "disposition": matched(row, "DISPOSITION_ID", _EDIT, "the number of a disposition is expected"),
                "name": row["NAME"] or None,
            },
        )
    return framed(found, member)


def _delimiter(member: Member) -> str:
    """What parts the header: a tab, a bar or a comma."""
    _, line = next(member.lines("cp1252"), (1, ""))
    return max("\t|,", key=line.count)
