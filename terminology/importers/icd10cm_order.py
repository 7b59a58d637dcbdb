"""Read the official ICD-10-CM order file and the list of billable codes.

Columns of the order file from 1: order number 1-5, code 7-13 without its dot, 0 header or 1 billable at 15, short title
17-76, long title from 78. Those of the list: code 1-7, long title from 9.
https://www.cms.gov/medicare/coding-billing/icd-10-codes
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from terminology.icd10.codes import BARE, PROCEDURE, dotted
from terminology.importers.given import Member, refuse
from terminology.source import Name, SourceConcept

_LONGEST = 80 + 400


@dataclass(frozen=True, slots=True)
class Line:
    """One code and the line at which it stands."""

    number: int
    bare: str
    concept: SourceConcept


def read_order(member: Member, *, procedures: bool = False) -> list[Line]:
    """The lines of an order file; refuses damaged ones by line and column. Those of ICD-10-PCS have no dots."""
    found = list(_lines(member, procedures))
    if not found:
        refuse(member, 1, 1, "the file has no codes")
    return found


def _lines(member: Member, procedures: bool) -> Iterator[Line]:
    stack: list[str] = []
    seen: set[str] = set()
    previous = 0
    spelt = str if procedures else dotted
    for number, line in member.lines("ascii"):
        if not line.strip():
            continue
        previous = _check(member, number, line, previous, seen, procedures)
        bare = line[6:13].strip()
        while stack and not bare.startswith(stack[-1]):
            stack.pop()
        parents = (spelt(stack[-1]),) if stack else ()
        stack.append(bare)
        seen.add(bare)
        short, long = line[16:76].strip(), line[77:].strip()
        names = (Name(short, "short"),) if long and short != long else ()
        yield Line(number, bare, SourceConcept(spelt(bare), long or short, parents, line[14] == "1", names=names))


def _check(member: Member, number: int, line: str, previous: int, seen: set[str], procedures: bool) -> int:
    """The order number of a line that is whole; refuses at the first column that is not."""
    if len(line) > _LONGEST:
        refuse(member, number, _LONGEST, "the line is too long")
    if not line[:5].isdecimal() or line[5:6] != " ":
        refuse(member, number, 1, "an order number of five digits and a blank are expected")
    code = line[6:13].strip()
    if procedures and not (PROCEDURE.fullmatch(code) or (len(code) == 3 and PROCEDURE.fullmatch(f"{code}0000"))):
        refuse(member, number, 7, "a code of seven characters or a table of three is expected")
    if not procedures and not BARE.fullmatch(code):
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


def read_codes(member: Member, *, procedures: bool = False) -> list[Line]:
    """The lines of a list of billable codes."""
    found: dict[str, Line] = {}
    for number, line in member.lines("ascii"):
        if not line.strip():
            continue
        bare, title = line[:7].strip(), line[8:].strip()
        if not (PROCEDURE if procedures else BARE).fullmatch(bare) or line[7:8].strip():
            refuse(member, number, 1, "a code in the first seven columns and a blank are expected")
        if not title:
            refuse(member, number, 9, "a title is expected")
        if bare in found:
            refuse(member, number, 1, "the code stands twice")
        code = bare if procedures else dotted(bare)
        found[bare] = Line(number, bare, SourceConcept(code, title, billable=True))
    if not found:
        refuse(member, 1, 1, "the file has no codes")
    return list(found.values())
