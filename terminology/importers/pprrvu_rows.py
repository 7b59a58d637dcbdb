"""Rows of the relative value file: CSV under a header of several lines, or text of fixed columns."""

from __future__ import annotations

from collections.abc import Iterator

from terminology.importers.given import Member, refuse
from terminology.importers.rows import Layout, Row, fixed, records

LAYOUT: Layout = {
    "HCPCS": (1, 5),
    "MOD": (6, 7),
    "DESCRIPTION": (8, 57),
    "STATUS": (58, 58),
    "PCTC": (103, 103),
    "GLOB": (104, 106),
    "MULT": (116, 116),
    "BILAT": (117, 117),
    "ASST": (118, 118),
    "CO": (119, 119),
    "TEAM": (120, 120),
    "ENDO": (128, 132),
    "SUPERVISION": (142, 143),
    "FAMILY": (146, 147),
}
"""Only what says something of the code; amounts belong to pricing."""

DETAILED = 147
LONGEST = 210
HEADINGS = {
    "HCPCS": "HCPCS",
    "MOD": "MOD",
    "DESCRIPTION": "DESCRIPTION",
    "STATUS CODE": "STATUS",
    "PCTC IND": "PCTC",
    "GLOB DAYS": "GLOB",
    "MULT PROC": "MULT",
    "BILAT SURG": "BILAT",
    "ASST SURG": "ASST",
    "CO- SURG": "CO",
    "CO-SURG": "CO",
    "TEAM SURG": "TEAM",
    "ENDO BASE": "ENDO",
    "PHYSICIAN SUPERVISION OF DIAGNOSTIC PROCEDURES": "SUPERVISION",
    "DIAGNOSTIC IMAGING FAMILY INDICATOR": "FAMILY",
}
"""What the header says of each column, its lines read from above."""

MAX_HEADER = 30
_NOTICES = 3  # of the first columns, in one of which a notice stands alone


def title_of(member: Member) -> str:
    """The first lines, which name the release in the CSV form."""
    found = []
    for number, line in member.lines("cp1252"):
        if number > MAX_HEADER:
            break
        found.append(line)
    return "\n".join(found)


def rows(member: Member) -> Iterator[Row]:
    """The rows in either form."""
    if member.short.lower().endswith(".txt"):
        return _text(member)
    return _csv(member)


def _text(member: Member) -> Iterator[Row]:
    def skip(_: int, line: str) -> bool:
        return not line.strip() or line[:4] in ("HDR ", "TRL ") or line.strip() in ("HDR", "TRL")

    return fixed(member, LAYOUT, encoding="cp1252", shortest=DETAILED, longest=LONGEST, skip=skip)


def _csv(member: Member) -> Iterator[Row]:
    above: list[list[str]] = []
    names: list[str] | None = None
    for record in records(member, encoding="cp1252"):
        if names is None:
            above.append(record.fields)
            if record.fields[0].strip().upper() == "HCPCS":
                names = _names(member, record.number, above)
            elif len(above) > MAX_HEADER:
                break
        elif len(record.fields) != len(names):
            at = min(len(record.fields), len(names) + 1) - 1
            record.refuse(at, f"{len(names)} fields are expected, this row has {len(record.fields)}")
        else:
            yield record.row(names)
    if names is None:
        refuse(member, 1, 1, "the header, whose last line begins with HCPCS, is missing")


def _names(member: Member, number: int, above: list[list[str]]) -> list[str]:
    last = above[-1]
    stacked = []
    for column in range(len(last)):
        parts = [r[column].strip() for r in above[:-1] if column < len(r) and not _is_notice(r)]
        stacked.append(" ".join(p for p in (*parts, last[column].strip()) if p).upper())
    names = [HEADINGS.get(heading, heading) for heading in stacked]
    for name in HEADINGS.values():
        if names.count(name) != 1:
            refuse(member, number, 0, f"one column {name} is expected, there are {names.count(name)}")
    return names


def _is_notice(row: list[str]) -> bool:
    """A line of the header's notices, not of its headings: one text near the beginning."""
    said = [n for n, text in enumerate(row) if text.strip()]
    return len(said) == 1 and said[0] < _NOTICES
