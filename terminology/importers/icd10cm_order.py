"""Read the official ICD-10-CM order file (fixed columns; https://www.cms.gov/medicare/coding-billing/icd-10-codes).

Columns from 1: order number 1-5, code 7-13 without its dot, 0 header or 1 billable at 15, short title 17-76, long
title from 78.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import partial

from fhir_profiles.systems import ICD10CM
from terminology.importers.given import Given, Member, refuse
from terminology.source import Source, SourceConcept

_YEAR = re.compile(r"(20\d\d)")
_LONGEST = 80 + 400


def read(given: Given) -> list[Source]:
    """The edition in an order file, whose name carries the fiscal year; refuses damaged files by line and column."""
    member = given.need(r"icd10cm_order_.*\.txt", "The order file icd10cm_order_YYYY.txt")
    year = _YEAR.search(member.short)
    if year is None:
        refuse(member, 0, 0, "the file name must carry the fiscal year, as icd10cm_order_2027.txt does")
    fiscal = int(year[1])
    april = "apr" in member.short.lower()
    concepts = list(_concepts(member))
    return [
        Source(
            name="icd10cm",
            system=ICD10CM,
            version=f"{fiscal}-04" if april else str(fiscal),
            title="ICD-10-CM",
            start=date(fiscal, 4, 1) if april else date(fiscal - 1, 10, 1),
            end=date(fiscal, 9, 30),
            content="complete",
            origin=f"CMS order file {member.short}",
            licence="US government work",
            fingerprint=member.sha256(),
            concepts=partial(iter, concepts),
            total=len(concepts),
        )
    ]


def _concepts(member: Member) -> Iterator[SourceConcept]:
    stack: list[str] = []
    seen: set[str] = set()
    previous = 0
    for number, line in member.lines("ascii"):
        if not line.strip():
            continue
        previous = _check(member, number, line, previous, seen)
        bare = line[6:13].strip()
        while stack and not bare.startswith(stack[-1]):
            stack.pop()
        parents = (_dotted(stack[-1]),) if stack else ()
        stack.append(bare)
        seen.add(bare)
        yield SourceConcept(_dotted(bare), line[77:].strip() or line[16:76].strip(), parents, line[14] == "1")
    if not seen:
        refuse(member, 1, 1, "the file has no codes")


def _check(member: Member, number: int, line: str, previous: int, seen: set[str]) -> int:
    """The order number of a line that is whole; refuses at the first column that is not."""
    if len(line) > _LONGEST:
        refuse(member, number, _LONGEST, "the line is too long")
    if not line[:5].isdigit() or line[5:6] != " ":
        refuse(member, number, 1, "an order number of five digits and a blank are expected")
    code = line[6:13].strip()
    if not re.fullmatch(r"[A-Z]\d[0-9A-Z][0-9A-Z]{0,4}", code):
        refuse(member, number, 7, "a code of three to seven characters is expected")
    if line[14:15] not in ("0", "1"):
        refuse(member, number, 15, "0 (header) or 1 (billable) is expected")
    if not line[16:76].strip():
        refuse(member, number, 17, "a title is expected")
    if int(line[:5]) <= previous:
        refuse(member, number, 1, "order numbers must rise")
    if code in seen:
        refuse(member, number, 7, "the code stands twice")
    return int(line[:5])


def _dotted(bare: str) -> str:
    return bare if len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"
