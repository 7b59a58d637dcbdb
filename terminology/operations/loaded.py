"""An edition of a loaded code system with all that its file says of a concept (https://hl7.org/fhir/R4/codesystem.html)."""

# ruff: noqa: D102 - what the methods promise stands in the protocol

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhir_profiles.systems import SNOMED, TERM_MAINTENANCE
from terminology import sctid
from terminology.folding import fold
from terminology.model import Concept, Edition
from terminology.operations.books import TYPES, Entry, Json, Later, Property, guess
from terminology.search import find
from terminology.search.intervals import Intervals, intersection, intervals_of
from terminology.source import Name, is_concrete
from terminology.value_sets.filters import Filter
from terminology.value_sets.loaded import Loaded
from terminology.value_sets.paged import Stretch
from terminology.value_sets.systems import System

if TYPE_CHECKING:
    from terminology.terminology import Terminology

MOST_FOUND = 30_000
"""Concepts that one text may find."""

MOST_ENTRIES = 4_096
"""Concepts that stay at hand."""

MOST_NEAR = 256
"""Concepts around one that stay at hand with it."""

MOST_TEXTS = 16
"""Texts whose concepts stay at hand, for the pages that follow the first."""

_SNOMED_USES = {
    "fsn": {"system": SNOMED, "code": "900000000000003001", "display": "Fully specified name"},
    "synonym": {"system": SNOMED, "code": "900000000000013009", "display": "Synonym"},
}
_PREFERRED = {"system": TERM_MAINTENANCE, "code": "preferredForLanguage", "display": "Preferred For Language"}
_HEADING = "The code is a heading: it is not billable, a code below it is"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the concepts that a text finds, how many it finds, and what was searched for instead of which word."""

    entries: list[Entry]
    total: int
    corrected: dict[str, str]


@dataclass
class LoadedBook:
    """An edition of a loaded code system."""

    terminology: Terminology
    edition: Edition
    _found: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    _entries: dict[str, Entry | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        e = self.edition
        self.url, self.content, self.language = e.system, e.content, e.language
        self.version: str | None = e.version
        loaded = Loaded(self.terminology, e.system, e.version)
        self.system: System = loaded
        self._file = loaded.file
        self.head: Json = {
            "name": e.name, "title": e.title, "version": e.version, "status": "active", "caseSensitive": e.sensitive,
        }  # fmt: skip
        if declared := [_declared(d) for d in self._file.declared.values()]:
            self.head["property"] = declared

    def find(self, code: str) -> Entry | None:
        if code in (entries := self._entries):
            return entries[code]
        if len(entries) >= MOST_ENTRIES:
            entries = self._entries = {}  # a new one: another thread may be reading the old
        found = self._file.concept(code)
        entry = entries[code] = None if found is None or found.group else self._whole(found)
        return entry

    def _near(self, concepts: Sequence[Concept]) -> list[str]:
        """The codes of some concepts, which stay at hand because whoever asks for them asks for their names next."""
        codes = [c.code for c in concepts if not c.group]
        if len(codes) <= MOST_NEAR:
            for concept in concepts:
                self._entries.setdefault(concept.code, None if concept.group else self._whole(concept))
        return codes

    def entries(self) -> Iterator[Entry]:
        return (self._entry(concept) for concept in self._file.concepts() if not concept.group)

    def _entry(self, concept: Concept) -> Entry:
        """What stands in the row of a concept."""
        properties = tuple(self._properties(concept, whole=False))
        remark = _HEADING if concept.billable is False else None
        inactive = not concept.active
        return Entry(
            concept.code, concept.display, properties=properties, inactive=inactive, remark=remark, row=concept
        )

    def _whole(self, concept: Concept) -> Entry:
        """All that the file holds of a concept."""
        return Entry(
            concept.code,
            concept.display,
            designations=Later(self._named, concept),
            properties=Later(self._known, concept),
            inactive=not concept.active,
            remark=_HEADING if concept.billable is False else None,
            row=concept,
        )

    def _named(self, concept: Concept) -> Iterator[Json]:
        return (one for name in self._file.names(concept.code, concept.number) for one in self._designations(name))

    def _known(self, concept: Concept) -> Iterator[Property]:
        return self._properties(concept, whole=True)

    def _properties(self, concept: Concept, *, whole: bool) -> Iterator[Property]:
        """What the source gives, then what the file holds of the concept besides: relations and notes by their type."""
        declared = self._file.declared
        for name, value in concept.properties.items():
            key = TYPES.get(declared[name].type, "valueString")
            for one in value if isinstance(value, list) else (value,):
                yield name, key if key != "valueCoding" or isinstance(one, dict) else guess(name, one), one
        if concept.billable is not None:
            yield "billable", "valueBoolean", concept.billable
        for name, day in (("start", concept.start), ("end", concept.end)):
            if day is not None:
                yield name, "valueDateTime", day.isoformat()
        if whole:
            for relation in self._file.relations(concept.code):
                yield relation.type, *_target(relation.target)
            for kind, text in self._file.notes(concept.code, concept.number):
                yield kind, "valueString", text

    def _designations(self, name: Name) -> Iterator[Json]:
        """A name, and for SNOMED CT once more for each dialect that prefers it to the display."""
        use = _SNOMED_USES.get(name.kind) if self.url == SNOMED else None
        if use is None and name.kind != "synonym":
            use = {"code": name.kind}
        yield {"language": name.language, **({"use": use} if use else {}), "value": name.text}
        if self.url == SNOMED and name.kind == "synonym":
            for dialect in name.dialects:
                tag = sctid.dialect_tag(dialect, name.language)
                yield {"language": tag, "use": _PREFERRED, "value": name.text}

    def above(self, code: str) -> list[str]:
        return [c.code for c in self._file.line(code) if not c.group]

    def parents(self, code: str) -> list[str]:
        row = self._row(code)
        if row is None:
            return self._near(self._file.parents(code))
        return [row.parent] if row.parent is not None and self.find(row.parent) is not None else []

    def children(self, code: str) -> list[str]:
        row = self._row(code)
        return [] if row is not None and row.last == row.number else self._near(self._file.children(code))

    def _row(self, code: str) -> Concept | None:
        """The row of a code, where it alone tells what is above it and whether something is below."""
        entry = None if self._file.manifest["polyhierarchy"] else self.find(code)
        return None if entry is None else entry.row

    def search(self, text: str) -> Sequence[Entry] | None:
        if not fold(text):
            return None
        if text not in self._found:
            if len(self._found) >= MOST_TEXTS:
                self._found.clear()
            found = find.page(self._file, text, count=MOST_FOUND)
            self._found[text] = tuple(self._entry(c) for c in found.concepts)
        return self._found[text]

    def page(self, text: str, filters: Sequence[Filter], *, active: bool, count: int, offset: int) -> Page:
        """What `text` finds among the concepts that pass the filters: one page of them, and what was searched for."""
        within: Intervals | None = None
        tests = []
        for one in filters:
            listed = one.codes() if one.codes is not None and one.exact else None
            if isinstance(listed, Stretch):
                within = intersection(within, listed.intervals)
            elif listed is not None:
                within = intersection(within, self._intervals(listed))
            else:
                tests.append(one.test)
        test = (lambda code: all(t(code) for t in tests)) if tests else None
        found = find.page(self._file, text, count=count, offset=offset, active=active, within=within, test=test)
        return Page([self._entry(c) for c in found.concepts], found.total, found.corrected)

    def _intervals(self, codes: Iterable[str]) -> Intervals:
        sql = "SELECT id FROM concept WHERE code IN (SELECT value FROM json_each(?)) ORDER BY id"
        return intervals_of(number for (number,) in self._file.db.execute(sql, (json.dumps(list(codes)),)))


def _target(text: str) -> tuple[str, Any]:
    """The value that a relation leads to: a code, or what is written as a concrete value."""
    if not is_concrete(text):
        return "valueCode", text
    if text[0] == "#":
        return "valueDecimal", Decimal(text[1:])
    return ("valueString", text[1:-1]) if text[0] == '"' else ("valueBoolean", text == "true")


def _declared(of: Any) -> Json:
    told = {"code": of.code, "uri": of.uri, "description": of.description, "type": of.type}
    return {key: value for key, value in told.items() if value}
