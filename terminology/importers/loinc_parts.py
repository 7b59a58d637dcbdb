"""The parts of LOINC, which parts a term is made of, and the hierarchy over both (https://loinc.org/get-started/loinc-term-basics).

`Part.csv`: PartNumber, PartTypeName, PartName, PartDisplayName, Status. `LoincPartLink_Primary.csv`: which part is
which axis of which term. `ComponentHierarchyBySystem.csv`: PATH_TO_ROOT, SEQUENCE, IMMEDIATE_PARENT, CODE, CODE_TEXT, a
line for each code under each of its parents; it holds parts that `Part.csv` does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from sys import intern
from typing import NamedTuple

from terminology.importers.given import Member, refuse
from terminology.importers.rows import Row, table
from terminology.source import Name, SourceConcept

PARTS = ("PartNumber", "PartTypeName", "PartName", "PartDisplayName", "Status")
LINKS = ("LoincNumber", "PartNumber", "PartName", "PartTypeName", "LinkTypeName")
HIERARCHY = ("PATH_TO_ROOT", "SEQUENCE", "IMMEDIATE_PARENT", "CODE", "CODE_TEXT")
AXES = {"COMPONENT": "COMPONENT", "PROPERTY": "PROPERTY", "TIME": "TIME_ASPCT", "SYSTEM": "SYSTEM",
        "SCALE": "SCALE_TYP", "METHOD": "METHOD_TYP", "CLASS": "CLASS"}  # fmt: skip
"""Type of part → column of Loinc.csv."""

_PART = re.compile(r"LP[0-9]{1,7}-[0-9X]")


class _Part(NamedTuple):
    name: str
    display: str
    type: str
    status: str


class Parts:
    """Parts by number, the parents of parts and terms, and the parts of the axes of terms."""

    def __init__(self) -> None:
        self.parts: dict[str, _Part] = {}
        self.above: dict[str, tuple[str, ...]] = {}
        self.axes: dict[str, tuple[str, ...]] = {}  # term → axis, part, axis, part …

    def concepts(self) -> Iterator[SourceConcept]:
        """The parts, those of the hierarchy in its order."""
        for code in (*(c for c in self.above if c in self.parts), *(c for c in self.parts if c not in self.above)):
            part = self.parts[code]
            yield SourceConcept(
                code,
                part.display or part.name,
                self.above.get(code, ()),
                active=part.status not in ("DEPRECATED", "INACTIVE"),
                names=(Name(part.name, "fsn"),) if part.display and part.display != part.name else (),
                properties={k: v for k, v in (("PartTypeName", part.type), ("STATUS", part.status)) if v},
            )

    def of_term(self, term: str) -> dict[str, dict[str, str]]:
        """The axes of a term as Codings."""
        pairs = self.axes.get(term, ())
        return {
            axis: {"code": code, "display": self.parts[code].name}
            for axis, code in zip(pairs[::2], pairs[1::2], strict=True)
        }


def read_parts(parts: Member | None, links: Member | None, hierarchy: Member | None, terms: frozenset[str]) -> Parts:
    """The parts of the files given; refused where one names a part or a term that there is not."""
    found = Parts()
    if parts is not None:
        for row in table(parts, PARTS):
            _part(found, row)
    if parts is not None and links is not None:
        for row in table(links, LINKS):
            _link(found, row, terms)
    if hierarchy is not None:
        _hierarchy(found, hierarchy, terms)
    return found


def _hierarchy(found: Parts, member: Member, terms: frozenset[str]) -> None:
    orphans: dict[str, Row] = {}  # parent that has no line yet → the line that wants it
    lines: dict[str, int] = {}
    for row in table(member, HIERARCHY):
        code, parent = row["CODE"], row["IMMEDIATE_PARENT"]
        lines[code] = row.number
        _below(found, row, terms)
        orphans.pop(code, None)
        if parent and parent not in lines:
            orphans.setdefault(parent, row)
    for row in orphans.values():
        row.refuse("IMMEDIATE_PARENT", "the parent has no line of its own")
    if (below_itself := _circular(found.above)) is not None:
        refuse(member, lines[below_itself], 0, f"{below_itself} lies below itself")


def _circular(above: dict[str, tuple[str, ...]]) -> str | None:
    """A code that is among those above it."""
    done: set[str] = set()
    for start in above:
        path: list[str] = []
        stack = [start]
        while stack:
            code = stack[-1]
            if path and path[-1] == code:
                done.add(path.pop())
                stack.pop()
            elif code in done:
                stack.pop()
            elif code in path:
                return code
            else:
                path.append(code)
                stack.extend(above.get(code, ()))
    return None


def _part(found: Parts, row: Row) -> None:
    code = row["PartNumber"]
    if not _PART.fullmatch(code):
        row.refuse("PartNumber", "the number of a part is expected, as LP14635-4")
    if code in found.parts:
        row.refuse("PartNumber", "the part stands twice")
    if not row["PartName"]:
        row.refuse("PartName", "the name of the part is expected")
    found.parts[code] = _Part(
        row["PartName"], row["PartDisplayName"], intern(row["PartTypeName"]), intern(row["Status"])
    )


def _link(found: Parts, row: Row, terms: frozenset[str]) -> None:
    axis = AXES.get(row["PartTypeName"])
    if row["LinkTypeName"] != "Primary" or axis is None:
        return
    term, code = row["LoincNumber"], row["PartNumber"]
    if term not in terms:
        row.refuse("LoincNumber", "the term is none of Loinc.csv")
    if code not in found.parts:
        row.refuse("PartNumber", "the part is none of Part.csv")
    found.axes[term] = (*found.axes.get(term, ()), axis, code)


def _below(found: Parts, row: Row, terms: frozenset[str]) -> None:
    code, parent = row["CODE"], row["IMMEDIATE_PARENT"]
    if code not in terms and code not in found.parts:
        if not _PART.fullmatch(code):
            row.refuse("CODE", "a term of Loinc.csv or the number of a part is expected")
        found.parts[code] = _Part(row["CODE_TEXT"] or code, "", "", "")
    known = found.above.get(code, ())
    if parent and parent not in known:
        found.above[code] = (*known, parent)
    elif code not in found.above:
        found.above[code] = ()
