"""Read the external code lists of X12: adjustment reasons, remarks, claim status and its categories.

https://x12.org/codes

A list comes as the page saved from the site, or as CSV, tab-separated text or workbook with the columns Code and
Description. Days and notes stand in the description (`Start: 01/01/1995 | Stop: 06/30/2007`, `Notes: …`) or in columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from fhir_profiles.systems import X12_ADJUSTMENT_REASONS, X12_CLAIM_STATUS, X12_REMARKS, X12_STATUS_CATEGORIES
from terminology.importers.days import read_day
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.rows import Row
from terminology.importers.stamp import stamp
from terminology.importers.x12_rows import rows
from terminology.source import PropertyDef, Source, SourceConcept

READER = "x12-1"
PROPERTIES = (
    PropertyDef("modified", "dateTime", description="Day of the last change"),
    PropertyDef("alert", "boolean", description="Whether a remark only informs"),
    PropertyDef("replaced_by", "code", description="Code to use in place of an ended one"),
)
LONGEST = 8000
"""Characters of a description."""


@dataclass(frozen=True, slots=True)
class List:
    """One list: how its files are called, and what its codes look like."""

    name: str
    system: str
    title: str
    file: str
    code: re.Pattern[str]


LISTS = (
    List("carc", X12_ADJUSTMENT_REASONS, "Claim Adjustment Reason Codes", r".*(carc|adjustment.?reason).*",
         re.compile(r"\d{1,3}|[A-Z]{1,2}\d{1,3}")),
    List("rarc", X12_REMARKS, "Remittance Advice Remark Codes", r".*(rarc|remark).*", re.compile(r"[A-Z]{1,2}\d{1,4}")),
    List("claim-status-category", X12_STATUS_CATEGORIES, "Claim Status Category Codes", r".*status.?categor.*",
         re.compile(r"[A-Z][0-9A-Z]{1,3}")),
    List("claim-status", X12_CLAIM_STATUS, "Claim Status Codes", r".*claim.?status.?code.*", re.compile(r"\d{1,4}")),
)  # fmt: skip

_DAYS = re.compile(r"\b(Start|Last Modified|Stop):\s*(\S+)")
_NOTES = re.compile(r"\bNotes:\s*(.*)", re.DOTALL)
_INSTEAD = re.compile(r"\b[Uu]se code ([A-Z]{0,2}\d{1,4})\b")


def read(given: Given) -> list[Source]:
    """One edition for each list among the files; the name of a file says which list it is."""
    found: list[tuple[List, Member]] = []
    for member in given.all(r".*\.(html?|csv|txt|tsv|xlsx)"):
        which = next((one for one in LISTS if re.fullmatch(one.file, member.short, re.IGNORECASE)), None)
        if which is not None:
            found.append((which, member))
    if not found:
        raise refusal("No list was recognised: name the files carc, rarc, claim-status-category or claim-status-codes")
    return [_source(given, which, member) for which, member in found]


def _source(given: Given, which: List, member: Member) -> Source:
    entries = list(_entries(which, member))
    latest = max((day for e in entries for day in (e.start, e.modified) if day), default=None)
    version = given.version or (latest.isoformat() if latest else None)
    if version is None:
        refuse(member, 0, 0, "the list has no days that say its version: give --version")
    start = given.start or latest
    concepts = [_concept(entry, start) for entry in entries]
    mark = stamp(READER, [member], version, start)
    return Source(
        name=which.name,
        system=which.system,
        version=version,
        title=which.title,
        start=start,
        end=given.end,
        content="complete",
        origin=f"X12 external code list {member.short}",
        licence="Copyright X12; used under its terms",
        fingerprint=mark.fingerprint,
        concepts=partial(iter, concepts),
        properties=PROPERTIES,
        files=mark.files,
        total=len(concepts),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of a code."""

    code: str
    text: str
    start: date | None
    modified: date | None
    stop: date | None
    notes: str


def _entries(which: List, member: Member) -> Iterator[Entry]:
    seen: set[str] = set()
    for row in rows(member):
        code = row["Code"]
        if not which.code.fullmatch(code):
            row.refuse("Code", f"a code of the {which.title} is expected")
        if code in seen:
            row.refuse("Code", f"the code {code} stands twice")
        seen.add(code)
        yield _entry(row, code)
    if not seen:
        refuse(member, 1, 1, "the list has no codes")


def _entry(row: Row, code: str) -> Entry:
    whole = row["Description"]
    if len(whole) > LONGEST:
        row.refuse("Description", f"the description has more than {LONGEST} characters")
    notes = _NOTES.search(whole)
    said = dict(_DAYS.findall(whole))
    text = " ".join(_DAYS.split(_NOTES.sub("", whole))[0].split()).rstrip(" |")
    if not text:
        row.refuse("Description", "a description is expected")
    return Entry(
        code,
        text,
        _day(row, said, "Start"),
        _day(row, said, "Last Modified"),
        _day(row, said, "Stop"),
        " ".join((notes[1] if notes else row.get("Notes")).split()),
    )


def _day(row: Row, said: dict[str, str], name: str) -> date | None:
    column = next((c for c in (name, f"{name} Date") if row.get(c)), None)
    value = row.get(column) if column else said.get(name, "").rstrip("|.,")
    if not value:
        return None
    found = read_day(value, "%m/%d/%Y") or read_day(value, "%Y-%m-%d")
    if found is None:
        row.refuse(column or "Description", f"{name}: a day written MM/DD/YYYY is expected")
    return found


def _concept(entry: Entry, start: date | None) -> SourceConcept:
    properties: dict[str, Any] = {}
    if entry.modified:
        properties["modified"] = entry.modified.isoformat()
    if entry.text.startswith("Alert:"):
        properties["alert"] = True
    instead = _INSTEAD.search(entry.notes)
    if entry.stop and instead:
        properties["replaced_by"] = instead[1]
    return SourceConcept(
        entry.code,
        entry.text,
        active=entry.stop is None or start is None or entry.stop >= start,
        start=entry.start,
        end=entry.stop,
        notes=(("note", entry.notes),) if entry.notes else (),
        properties=properties,
    )
