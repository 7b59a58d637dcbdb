"""The fields of a HCPCS record and what they say of a code (the record layout lies in the archive of CMS).

A code of level I, which is CPT, has five digits, or four and a letter; a modifier of level I has two digits.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from terminology.importers.days import day_of
from terminology.importers.release import Release
from terminology.importers.rows import Layout, Row
from terminology.source import Name, PropertyDef, SourceConcept

COLUMNS = (
    "HCPC",
    "SEQNUM",
    "RECID",
    "LONG_DESCRIPTION",
    "SHORT_DESCRIPTION",
    "MULT_PI",
    "COV",
    "BETOS",
    "ANEST_BU",
    "ADD_DT",
    "ACT_EFF_DT",
    "TERM_DT",
    "ACTION_CD",
)
"""The columns that the workbook and its CSV must have; blanks may stand for the underscores."""


def _several(name: str, count: int, first: int, width: int) -> dict[str, tuple[int, int]]:
    return {f"{name}{i + 1}": (first + i * width, first + (i + 1) * width - 1) for i in range(count)}


LAYOUT: Layout = {
    "HCPC": (1, 5),
    "SEQNUM": (6, 10),
    "RECID": (11, 11),
    "LONG_DESCRIPTION": (12, 91),
    "SHORT_DESCRIPTION": (92, 119),
    **_several("PRICE", 4, 120, 2),
    "MULT_PI": (128, 128),
    **_several("CIM", 3, 129, 6),
    **_several("MCM", 3, 147, 8),
    "STATUTE": (171, 180),
    **_several("LABCERT", 8, 181, 3),
    **_several("XREF", 5, 205, 5),
    "COV": (230, 230),
    "ASC_GRP": (231, 232),
    "ASC_DT": (233, 240),
    "PROCNOTE": (253, 256),
    "BETOS": (257, 259),
    **_several("TOS", 5, 261, 1),
    "ANEST_BU": (266, 268),
    "ADD_DT": (269, 276),
    "ACT_EFF_DT": (277, 284),
    "TERM_DT": (285, 292),
    "ACTION_CD": (293, 293),
}
"""The text has 320 columns; what stands behind 293 is filler."""

DETAILED = 293
"""Columns that the first record of a code must have."""

CHOICES = {"ACTION_CD": "ABCDFNPRST", "COV": "CDIMS", "MULT_PI": "9ABCDEFG"}

PROPERTIES = (
    PropertyDef("modifier", "boolean", description="Whether the code is a modifier"),
    PropertyDef("coverage", "code", description="Medicare coverage: C, D, I, M or S"),
    PropertyDef("pricing", "code", description="Pricing indicators"),
    PropertyDef("multiple-pricing", "code", description="Multiple pricing indicator"),
    PropertyDef("betos", "code", description="Berenson-Eggers type of service"),
    PropertyDef("type-of-service", "code", description="Types of service"),
    PropertyDef("anesthesia-base-units", "integer", description="Base units of anaesthesia"),
    PropertyDef("coverage-manual", "string", description="Sections of the coverage manuals"),
    PropertyDef("carriers-manual", "string", description="Sections of the carriers manual"),
    PropertyDef("statute", "string", description="Section of the statute"),
    PropertyDef("laboratory", "code", description="Laboratory certification categories"),
    PropertyDef("surgery-center-group", "code", description="Payment group of ambulatory surgical centers"),
    PropertyDef("processing-note", "code", description="Number of the processing note"),
    PropertyDef("cross-reference", "code", description="Codes that the file refers to"),
    PropertyDef("replaced_by", "code", description="Codes to use in place of an ended one"),
    PropertyDef("added", "dateTime", description="Day on which the code was added"),
    PropertyDef("action", "code", description="Last change: A, B, C, D, F, N, P, R, S or T"),
    PropertyDef("action-effective", "dateTime", description="Day on which the last change took effect"),
)

_LISTS = {
    "pricing": ("PRICE", 4),
    "type-of-service": ("TOS", 5),
    "coverage-manual": ("CIM", 3),
    "carriers-manual": ("MCM", 3),
    "laboratory": ("LABCERT", 8),
    "cross-reference": ("XREF", 5),
}
_DIGITS = {"PRICE": 2, "LABCERT": 3}
"""Of codes that the workbook keeps as numbers, and so without their first zeros."""

_SINGLE = {
    "coverage": "COV",
    "multiple-pricing": "MULT_PI",
    "betos": "BETOS",
    "statute": "STATUTE",
    "surgery-center-group": "ASC_GRP",
    "action": "ACTION_CD",
}


def is_level_one(code: str) -> bool:
    """True for what is of CPT: it has no place in level II."""
    return bool(re.fullmatch(r"\d{4}[0-9A-Z]|\d\d", code))


def concept(row: Row, text: str, release: Release) -> SourceConcept:
    """The concept of a first record and of the whole description."""
    code, modifier = row["HCPC"], row["RECID"] == "7"
    added, ended = _day(row, "ADD_DT"), _day(row, "TERM_DT")
    found: dict[str, Any] = {"modifier": modifier}
    for name, (column, count) in _LISTS.items():
        values = [v.zfill(_DIGITS.get(column, 0)) for i in range(count) if (v := row.get(f"{column}{i + 1}"))]
        if values:
            found[name] = values if len(values) > 1 else values[0]
    found |= {name: value for name, column in _SINGLE.items() if (value := row.get(column))}
    if added:
        found["added"] = added.isoformat()
    if changed := _day(row, "ACT_EFF_DT"):
        found["action-effective"] = changed.isoformat()
    if units := _units(row):
        found["anesthesia-base-units"] = units
    if ended and "cross-reference" in found:
        found["replaced_by"] = found["cross-reference"]
    if note := row.get("PROCNOTE").lstrip("0"):
        found["processing-note"] = note
    short = row["SHORT_DESCRIPTION"]
    return SourceConcept(
        code,
        text,
        billable=None if modifier else True,
        active=ended is None or ended >= release.start,
        start=added,
        end=ended,
        names=(Name(short, "short"),) if short else (),
        properties=found,
    )


def check(row: Row) -> None:
    """Refuse a first record in which a field holds what it cannot."""
    for name, allowed in CHOICES.items():
        value = row[name]
        if value and (len(value) != 1 or value not in allowed):
            row.refuse(name, f"one of {', '.join(allowed)} or nothing is expected")
    if not row["LONG_DESCRIPTION"]:
        row.refuse("LONG_DESCRIPTION", "a description is expected")
    if not row["ACTION_CD"]:
        row.refuse("ACTION_CD", "an action code is expected")


def _units(row: Row) -> int:
    value = row["ANEST_BU"]
    if value and not value.isdecimal():
        row.refuse("ANEST_BU", "a whole number of units is expected")
    return int(value or 0)


def _day(row: Row, name: str) -> date | None:
    return None if set(row[name]) == {"0"} else day_of(row, name)
