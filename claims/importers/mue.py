"""Read medically unlikely edits: the most units of a code on a line or a day, by setting.

https://www.cms.gov/medicare/coding-billing/national-correct-coding-initiative-ncci-edits/medicare-ncci-medically-unlikely-edits

A file for each setting; above its header stands a notice of several lines in one quoted field.
"""

from __future__ import annotations

import re
from calendar import month_abbr
from functools import partial

import polars as pl

from claims.importers.reading import (
    AMA,
    Gathered,
    Governed,
    code,
    framed,
    governed,
    matched,
    meant,
    named,
    release,
    several,
)
from claims.tables.store import TableSource
from terminology.importers.given import Given, Member, refuse
from terminology.importers.rows import table

READER = "mue 1"
SETTINGS = {"practitioner": "practitioner", "outpatient": "outpatient", "facility": "outpatient", "dme": "dme"}
"""What a file name holds → the setting."""

_FILE = r".*MUE.*\.(csv|txt)"
_DAY = re.compile(r"(?P<month>\d\d)[-_](?P<day>\d\d)[-_](?P<year>20\d\d)")
_UNITS = re.compile(r"\d{1,7}")
_MAI = re.compile(r"[123]\b.*")
_COLUMNS = {
    "code": lambda h: h.startswith("hcpcs"),
    "units": lambda h: "value" in h,
    "kind": lambda h: "adjudication" in h or h == "mai",
}


def read(given: Given) -> list[TableSource]:
    """One release for each file, which is one setting."""
    found = []
    for member in several(given, _FILE, "The file MCR_MUE_…Services_Eff_MM-DD-YYYY.csv"):
        setting = _setting(member)
        said = release("mue", READER, [member], _governed(given, member), AMA, setting)
        found.append(TableSource(said, partial(_frame, member, setting)))
    return found


def _setting(member: Member) -> str:
    found = next((setting for word, setting in SETTINGS.items() if word in member.short.lower()), None)
    if found is None:
        refuse(member, 0, 0, "the file name does not say its setting: Practitioner, Outpatient or DME")
    return found


def _governed(given: Given, member: Member) -> Governed:
    """The first day stands in the file name as 10-01-2025."""
    day = _DAY.search(member.short)
    named_by = f"{day['year']} {month_abbr[int(day['month'])]}" if day and 1 <= int(day["month"]) <= 12 else ""
    return governed(given, member, (r"(?P<year>20\d\d) (?P<month>[A-Z][a-z]{2})", named_by))


def _frame(member: Member, setting: str) -> pl.DataFrame:
    delimiter = "\t" if member.short.lower().endswith(".txt") else ","
    headed = table(member, (), delimiter=delimiter, encoding="cp1252", is_header=_is_header)
    found: Gathered | None = None
    for row in meant(headed):
        if found is None:
            at = named(row, _COLUMNS)
            found = Gathered(("code",), at["code"])
        units = int(matched(row, at["units"], _UNITS, "a number of units is expected"))
        kind = matched(row, at["kind"], _MAI, "an adjudication indicator that begins with 1, 2 or 3 is expected")
        found.add(row, {"code": code(row, at["code"]), "setting": setting, "units": units, "mai": kind[0]})
    return framed(found, member)


def _is_header(fields: list[str]) -> bool:
    return fields[0].strip().upper().startswith("HCPCS")
