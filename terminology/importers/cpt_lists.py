"""The lists of CPT descriptors: a notice, a blank line, then code and text parted by a tab or a blank.

The lists for consumers and clinicians are tables parted by tabs, under a header.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from terminology.importers.given import Member, refuse
from terminology.importers.rows import table

_LINE = re.compile(r"(\d{4}[0-9A-Z])[\t ](.*)")
_MAX = 16 * 2**20

_COLUMNS = {"consumer": "Consumer Friendly Descriptor", "synonym": "Clinician Descriptor"}


def listed(member: Member, longest: int, known: Container[str] | None = None) -> Iterator[tuple[str, str]]:
    """Code and text of each line behind the notice.

    Refused: a line that is none, a text that is missing or has more than `longest` characters, a code that comes twice
    or is not `known`.
    """
    seen: set[str] = set()
    before = ""
    for number, line in member.lines(encoding_of(member)):
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            if line.strip() and seen:
                refuse(member, number, 1, "a code of five characters, a tab or blank, and a text are expected")
            before = line
            continue
        if not seen and before.strip():
            refuse(member, number - 1, 1, "a blank line is expected between the notice and the first code")
        code, text = match[1], match[2].strip()
        if code in seen:
            refuse(member, number, 1, f"the code {code} stands twice")
        if known is not None and code not in known:
            refuse(member, number, 1, f"the code {code} is not in the list of long descriptors")
        if not text:
            refuse(member, number, 7, "a descriptor is expected")
        if len(text) > longest:
            refuse(member, number, 7 + longest, f"the descriptor has more than {longest} characters")
        seen.add(code)
        yield code, text
    if not seen:
        refuse(member, 1, 1, "the file has no codes")


def descriptors(member: Member, kind: str) -> Iterator[tuple[str, str]]:
    """Code and text of each row of a list for consumers or (kind `synonym`) clinicians."""
    column = _COLUMNS[kind]
    rows = table(member, ("Concept Id", "CPT Code", column), delimiter="\t", encoding=encoding_of(member), quoted=False)
    for row in rows:
        if not re.fullmatch(r"\d{4}[0-9A-Z]", row["CPT Code"]):
            row.refuse("CPT Code", "a code of five characters is expected")
        if not row["Concept Id"].isdecimal():
            row.refuse("Concept Id", "a number is expected")
        if not row[column]:
            row.refuse(column, "a descriptor is expected")
        yield row["CPT Code"], row[column]


def encoding_of(member: Member) -> str:
    """UTF-8 where the file is that, else Windows-1252: both have been handed out."""
    try:
        member.read(_MAX).decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
