"""The files of a release and their rows (https://docs.snomed.org/snomed-ct-specifications/snomed-ct-release-file-specification)."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

import numpy as np

from terminology.importers.given import Given, Member, refusal, refuse
from terminology.sctid import is_valid

COMPONENT = ("id", "effectiveTime", "active", "moduleId")
CONCEPT = (*COMPONENT, "definitionStatusId")
DESCRIPTION = (*COMPONENT, "conceptId", "languageCode", "typeId", "term", "caseSignificanceId")
_LINK = ("relationshipGroup", "typeId", "characteristicTypeId", "modifierId")
RELATIONSHIP = (*COMPONENT, "sourceId", "destinationId", *_LINK)
CONCRETE = (*COMPONENT, "sourceId", "value", *_LINK)
MEMBER = (*COMPONENT, "refsetId", "referencedComponentId")
LANGUAGE = (*MEMBER, "acceptabilityId")
ASSOCIATION = (*MEMBER, "targetComponentId")
ATTRIBUTE_VALUE = (*MEMBER, "valueId")
SIMPLE_MAP = (*MEMBER, "mapTarget")
EXTENDED_MAP = (
    *MEMBER, "mapGroup", "mapPriority", "mapRule", "mapAdvice", "mapTarget", "correlationId", "mapCategoryId",
)  # fmt: skip

_KINDS = {
    "concepts": r"x?sct2_Concept_Snapshot_.*\.txt",
    "descriptions": r"x?sct2_Description_Snapshot-.*\.txt",
    "definitions": r"x?sct2_TextDefinition_Snapshot-.*\.txt",
    "relationships": r"x?sct2_Relationship_Snapshot_.*\.txt",
    "concrete": r"x?sct2_RelationshipConcreteValues_Snapshot_.*\.txt",
    "languages": r"x?der2_cRefset_Language.*Snapshot-.*\.txt",
    "simple": r"x?der2_Refset_.*Snapshot_.*\.txt",
    "associations": r"x?der2_cRefset_Association.*Snapshot_.*\.txt",
    "values": r"x?der2_cRefset_AttributeValue.*Snapshot_.*\.txt",
    "simple_maps": r"x?der2_sRefset_SimpleMap.*Snapshot_.*\.txt",
    "extended_maps": r"x?der2_iisss[a-z]+Refset_ExtendedMap.*Snapshot_.*\.txt",
    "dependencies": r"x?der2_ssRefset_ModuleDependency.*Snapshot_.*\.txt",
}
_NEEDED = {
    "concepts": "The concept file sct2_Concept_Snapshot_…_YYYYMMDD.txt",
    "descriptions": "The description file sct2_Description_Snapshot-…_YYYYMMDD.txt",
    "relationships": "The relationship file sct2_Relationship_Snapshot_…_YYYYMMDD.txt",
    "languages": "The language reference set der2_cRefset_LanguageSnapshot-…_YYYYMMDD.txt",
}
_DAY = re.compile(r"_(\d{8})\.txt", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Release:
    """The snapshot files of a release, by kind; `day` is the latest of their names."""

    members: dict[str, tuple[Member, ...]]
    day: date

    def __getitem__(self, kind: str) -> tuple[Member, ...]:
        return self.members[kind]

    @property
    def files(self) -> list[Member]:
        """Every file that is read."""
        return [member for members in self.members.values() for member in members]


def release_of(given: Given) -> Release:
    """The files of a release; refused when one is missing, or carries no date."""
    found = {kind: tuple(sorted(given.all(p), key=lambda m: m.name)) for kind, p in _KINDS.items()}
    for kind, described in _NEEDED.items():
        if not found[kind]:
            other = any(given.all(_KINDS[kind].replace("Snapshot", way)) for way in ("Full", "Delta"))
            raise refusal(f"{described} is missing{': Full and Delta files are not read' if other else ''}")
    days = []
    for members in found.values():
        for member in members:
            match = _DAY.search(member.short)
            day = match and _date(match[1])
            if day is None:
                refuse(member, 0, 0, "the file name ends with the day of the release, as _20260101.txt does")
            days.append(day)
    return Release(found, max(days))


def _date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])) if len(text) == 8 and text.isdecimal() else None
    except ValueError:
        return None


class Table:
    """The rows of the files of one kind, checked: fields, identifier, date, whether active, module."""

    def __init__(
        self, members: Sequence[Member], columns: Sequence[str], day: date, partition: frozenset[str] | None = None
    ) -> None:
        self.members = members
        self._columns = tuple(columns)
        self._day = f"{day:%Y%m%d}"
        self._partition = partition
        self._dates: set[str] = set()
        self._modules: set[str] = set()

    def rows(self) -> Iterator[tuple[Member, int, list[str]]]:
        """(file, number of the line, fields) of every row; of a component in several files only the latest."""
        latest = _latest(self.members) if self._partition and len(self.members) > 1 else {}
        for member in self.members:
            ids: array[int] = array("Q")
            for number, fields in self._checked(member):
                if self._partition is not None:
                    ids.append(int(fields[0]))
                if fields[0] not in latest or latest[fields[0]] is member:
                    yield member, number, fields
            self._once(member, ids)

    def refuse(self, member: Member, number: int, fields: Sequence[str], name: str, why: str) -> NoReturn:
        """Refuse a file at a field of a row."""
        place = self._columns.index(name)
        refuse(member, number, sum(map(len, fields[:place])) + place + 1, why)

    def _checked(self, member: Member) -> Iterator[tuple[int, list[str]]]:
        width, partition, dates, modules = len(self._columns), self._partition, self._dates, self._modules
        lines = member.lines()
        header = next(lines, (1, ""))[1].split("\t")
        for place, name in enumerate(self._columns):
            if place >= len(header) or header[place].casefold() != name.casefold():
                refuse(member, 1, sum(map(len, header[:place])) + place + 1, f"the column {name} is expected")
        for number, line in lines:
            fields = line.split("\t")
            if len(fields) != width:
                refuse(member, number, len(line) + 1, f"{width} fields are expected, this row has {len(fields)}")
            text = fields[0]
            if partition is not None and not (is_valid(text) and text[-3:-1] in partition):
                self._wrong_id(member, number, fields)
            if fields[1] not in dates:
                self._take_date(member, number, fields)
            if fields[2] not in ("0", "1"):
                self.refuse(member, number, fields, "active", "0 or 1 is expected")
            if fields[3] not in modules:
                self.identifier(member, number, fields, "moduleId")
                modules.add(fields[3])
            yield number, fields

    def identifier(self, member: Member, number: int, fields: Sequence[str], name: str) -> str:
        """An identifier in a row; refused when its check digit is wrong."""
        text = fields[self._columns.index(name)]
        if not is_valid(text):
            self.refuse(
                member, number, fields, name, "an identifier of 6 to 18 digits with its check digit is expected"
            )
        return text

    def _wrong_id(self, member: Member, number: int, fields: Sequence[str]) -> NoReturn:
        self.identifier(member, number, fields, "id")
        wanted = " or ".join(sorted(self._partition or ()))
        self.refuse(member, number, fields, "id", f"the two digits before the last must be {wanted}")

    def _take_date(self, member: Member, number: int, fields: Sequence[str]) -> None:
        if _date(fields[1]) is None:
            self.refuse(member, number, fields, "effectiveTime", "a date is expected, as 20260131")
        if fields[1] > self._day:
            self.refuse(member, number, fields, "effectiveTime", "the date is later than the release")
        self._dates.add(fields[1])

    def _once(self, member: Member, ids: array[int]) -> None:
        """Refuse a file that holds a component twice: a snapshot has one row of each."""
        found = np.sort(np.frombuffer(ids, dtype=np.uint64)) if ids else np.empty(0, dtype=np.uint64)
        twice = found[1:][found[1:] == found[:-1]]
        if not len(twice):
            return
        wanted, seen = {str(n) for n in twice.tolist()}, set()
        for number, line in member.lines():
            text = line.partition("\t")[0]
            if text in seen:
                refuse(member, number, 1, "the identifier stands twice in the file: is this a Full file?")
            if text in wanted:
                seen.add(text)


def _latest(members: Sequence[Member]) -> dict[str, Member]:
    """For components that stand in several files, the file that has the latest row."""
    columns = []
    for member in members:
        pairs = (line.split("\t", 2)[:2] for number, line in member.lines() if number > 1 and line.count("\t") > 1)
        known = [(int(i), int(t)) for i, t in pairs if i.isdecimal() and len(i) < 19 and t.isdecimal() and len(t) == 8]
        columns.append(np.array(known, dtype=np.int64).reshape(-1, 2))
    ids, counts = np.unique(np.concatenate([np.unique(c[:, 0]) for c in columns]), return_counts=True)
    several = ids[counts > 1]
    best: dict[str, tuple[int, Member]] = {}
    for member, column in zip(members, columns, strict=True):
        for number, time in column[np.isin(column[:, 0], several)].tolist():
            key = str(number)
            if key not in best or time >= best[key][0]:
                best[key] = time, member
    return {key: member for key, (_, member) in best.items()}


def line_of(members: Sequence[Member], *fields: tuple[int, str]) -> tuple[Member, int]:
    """The last row that has these (place, text) fields, to say where something is wrong."""
    found = (members[0], 0)
    for member in members:
        for number, line in member.lines():
            row = line.split("\t")
            if all(place < len(row) and row[place] == text for place, text in fields):
                found = member, number
    return found
