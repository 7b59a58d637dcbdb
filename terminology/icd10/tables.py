"""The tables of ICD-10-PCS: a code of seven characters is valid when a row of its table holds each of the last four.

https://www.cms.gov/medicare/coding-billing/icd-10-codes
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from lxml import etree

from terminology.icd10.properties import AXES
from terminology.importers.given import Member
from terminology.importers.xml import refuse_at

ROOT = "ICD10PCS.tabular"
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """The values that characters 4 to 7 may take together."""

    axes: tuple[Labels, ...]

    def holds(self, code: str) -> bool:
        """Whether the row has the last four characters of a code."""
        return all(character in axis for character, axis in zip(code[3:], self.axes, strict=True))


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its three characters with their labels, and its rows."""

    prefix: str
    labels: tuple[str, str, str]
    definition: str
    rows: tuple[Row, ...]


class Tables:
    """All tables of an edition."""

    def __init__(self, tables: list[Table]) -> None:
        self.tables: defaultdict[str, list[Table]] = defaultdict(list)
        for table in tables:
            self.tables[table.prefix].append(table)

    def holds(self, code: str) -> bool:
        """Whether a code can be built: then it is valid."""
        return self.axes(code) is not None

    def axes(self, code: str) -> dict[str, str] | None:
        """What each character of a code says; None when no row holds it."""
        if len(code) != len(AXES):
            return None
        for table in self.tables.get(code[:3], ()):
            for row in table.rows:
                if row.holds(code):
                    said = (*table.labels, *(axis[c] for c, axis in zip(code[3:], row.axes, strict=True)))
                    return dict(zip(AXES, said, strict=True))
        return None

    def codes(self) -> Iterator[str]:
        """Every code that can be built, a code of two rows twice."""
        for prefix, tables in self.tables.items():
            for table in tables:
                for row in table.rows:
                    yield from (prefix + "".join(last) for last in product(*row.axes))


def read_tables(member: Member, root: etree._Element) -> Tables:
    """The tables of the XML; refused at the first element that is damaged."""
    found = [_table(member, element) for element in root.iterfind("pcsTable")]
    if not found:
        refuse_at(member, root, "the file has no tables")
    return Tables(found)


def _table(member: Member, element: etree._Element) -> Table:
    axes = [_axis(member, axis, n) for n, axis in enumerate(element.findall("axis"), 1)]
    if len(axes) != 3 or any(len(axis) != 1 for axis in axes):
        refuse_at(member, element, "a table has three axes with one label each before its rows")
    rows = tuple(_row(member, row) for row in element.iterfind("pcsRow"))
    if not rows:
        refuse_at(member, element, "the table has no rows")
    (section, system, operation) = axes
    definition = " ".join((element.findtext("axis/definition") or "").split())
    labels = next(iter(section.values())), next(iter(system.values())), next(iter(operation.values()))
    return Table("".join(next(iter(axis)) for axis in axes), labels, definition, rows)


def _row(member: Member, element: etree._Element) -> Row:
    axes = tuple(_axis(member, axis, n) for n, axis in enumerate(element.findall("axis"), 4))
    if len(axes) != 4:
        refuse_at(member, element, "a row has the axes 4 to 7")
    said = element.get("codes")
    count = len(axes[0]) * len(axes[1]) * len(axes[2]) * len(axes[3])
    if said is not None and said != str(count):
        refuse_at(member, element, f"the row says that it has {said[:10]} codes, its axes make {count}")
    return Row(axes)


def _axis(member: Member, element: etree._Element, position: int) -> Labels:
    if element.get("pos") != str(position):
        refuse_at(member, element, f"the axis of character {position} is expected")
    found: dict[str, str] = {}
    for label in element.iterfind("label"):
        character, text = label.get("code", ""), " ".join((label.text or "").split())
        if len(character) != 1 or character not in "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ" or not text:
            refuse_at(member, label, "a label has a character, which is not I or O, and a text")
        if character in found:
            refuse_at(member, label, "the character stands twice in the axis")
        found[character] = text
    if not found or str(len(found)) != element.get("values", str(len(found))):
        refuse_at(member, element, "the axis has not as many labels as it says")
    return found
