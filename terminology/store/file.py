"""A read-only file of one code-system edition, opened immutable and memory-mapped (https://sqlite.org/uri.html).

Every thread has its own connection; a forked child opens its own too, and all share the pages through the page cache.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import date
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from fhir_profiles.errors import Category, FhirError
from terminology.model import Concept, Edition, Term
from terminology.source import Name, PropertyDef, Relation, Subset
from terminology.spellings import FORMS
from terminology.store.layout import LAYOUT

_CONCEPT = """SELECT c.code, c.display, c.billable, c.active, p.code, c.heading, c.start, c."end", c.properties, c.id,
  c.last
  FROM concept c LEFT JOIN concept p ON p.id = c.parent """
_BY_CODE = _CONCEPT + "WHERE c.code = ?"
_BY_ID = _CONCEPT + "WHERE c.id = ?"
_PARENT = _CONCEPT + "WHERE c.id = (SELECT parent FROM concept WHERE code = ?)"
_CHILDREN = _CONCEPT + "WHERE c.parent = (SELECT id FROM concept WHERE code = ?) ORDER BY c.id"
_BETWEEN = _CONCEPT + "WHERE c.id BETWEEN ? AND ?"
_ID = "(SELECT id FROM concept WHERE code = ?)"
_PAIR = "SELECT a.id, a.last, b.id FROM concept a, concept b WHERE a.code = ? AND b.code = ?"
_MAPPED = 2**40
"""Bytes of a file that are mapped at most: SQLite holds it to its own limit of 2 GB."""

_open: weakref.WeakSet[EditionFile] = weakref.WeakSet()
_left: list[threading.local] = []
_day = date.fromisoformat


class EditionFile:
    """One file, which holds one edition."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        if self.db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
            raise FhirError.of(
                Category.UNAVAILABLE, "exception", f"{path.name} has another layout: run `fhirwright load`"
            )
        rows = self.db.execute("SELECT json_group_object(key, json(value)) FROM manifest").fetchone()
        self.manifest: dict[str, Any] = json.loads(rows[0])
        self.edition = _edition(self.manifest)
        self._form = FORMS.get(self.edition.system)
        _open.add(self)

    @property
    def db(self) -> sqlite3.Connection:
        """The connection of this thread and process."""
        try:
            return self._local.db  # type: ignore[no-any-return]
        except AttributeError:
            uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
            db.execute(f"PRAGMA mmap_size = {_MAPPED}")
            self._local.db = db
            return db

    def concept(self, code: str) -> Concept | None:
        """The concept of a code, however it is spelled where the system has spellings."""
        row = self.db.execute(_BY_CODE, (code,)).fetchone()
        if row is None and self._form is not None and (form := self._form.of(code)) is not None:
            held = self.having(self._form.property, form)
            row = self.db.execute(_BY_CODE, (held[0],)).fetchone() if held else None
        return row and self._concept(row)

    def id_of(self, code: str) -> int | None:
        """The pre-order number of a code."""
        row = self.db.execute("SELECT id FROM concept WHERE code = ?", (code,)).fetchone()
        return row[0] if row else None

    def by_ids(self, ids: Sequence[int]) -> list[Concept]:
        """The concepts of these ids in the order given."""
        if len(ids) <= 8:
            found = (self.db.execute(_BY_ID, (number,)).fetchone() for number in ids)
            return [self._concept(row) for row in found if row]
        rows = self.db.execute(f"{_CONCEPT}WHERE c.id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),))
        by_id = {row[9]: self._concept(row) for row in rows}
        return [by_id[number] for number in ids if number in by_id]

    def codes_of(self, ids: Iterable[int]) -> list[str]:
        """The codes of these ids in book order; headings of the book are left out."""
        sql = "SELECT code FROM concept WHERE NOT heading AND id IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [code for (code,) in self.db.execute(sql, (json.dumps(list(ids)),))]

    def codes_without(self, ids: Set[int]) -> Iterator[str]:
        """All codes in book order but those of some ids."""
        rows = self.db.execute("SELECT id, code FROM concept WHERE NOT heading ORDER BY id")
        return (code for number, code in rows if number not in ids)

    def is_below(self, code: str, ancestor: str) -> bool:
        """Whether a code is another or lies below it, by whatever parents; False when one of them is unknown."""
        row = self.db.execute(_PAIR, (ancestor, code)).fetchone()
        if row is None:
            return False
        outer, last, inner = row
        if outer <= inner <= last:
            return True
        return self.manifest["polyhierarchy"] and _within(self._span(outer), inner)

    def intervals(self, code: str) -> list[tuple[int, int]]:
        """(first id, last id) of what lies below a code and itself, in rising order; empty when it is unknown."""
        row = self.db.execute("SELECT id, last FROM concept WHERE code = ?", (code,)).fetchone()
        if row is None:
            return []
        bounds = self._span(row[0]) if self.manifest["polyhierarchy"] else None
        if bounds is None:
            return [row]
        half = len(bounds) // 2
        return list(zip(bounds[:half], bounds[half:], strict=True))

    def _span(self, number: int) -> memoryview | None:
        row = self.db.execute("SELECT intervals FROM span WHERE concept = ?", (number,)).fetchone()
        return row and memoryview(row[0]).cast("I")

    def parents(self, code: str) -> list[Concept]:
        """The concepts directly above a code, the first parent first."""
        if not self.manifest["polyhierarchy"]:
            return [self._concept(row) for row in self.db.execute(_PARENT, (code,))]
        row = self.db.execute("SELECT id, parent FROM concept WHERE code = ?", (code,)).fetchone()
        return self.by_ids(self._above(*row)) if row else []

    def _above(self, number: int, parent: int | None) -> list[int]:
        if parent is None:
            return []
        if not self.manifest["polyhierarchy"]:
            return [parent]
        further = self.db.execute("SELECT parent FROM edge WHERE concept = ? ORDER BY place", (number,))
        return [parent, *(above for (above,) in further)]

    def ancestors(self, code: str) -> list[Concept]:
        """Everything above a code, nearest first; along one line where each concept has one parent."""
        row = self.db.execute("SELECT id, parent FROM concept WHERE code = ?", (code,)).fetchone()
        found: dict[int, None] = {}
        level = self._above(*row) if row else []
        while level:
            found.update(dict.fromkeys(level))
            above = (self.db.execute("SELECT id, parent FROM concept WHERE id = ?", (n,)).fetchone() for n in level)
            level = list(dict.fromkeys(n for row in above for n in self._above(*row) if n not in found))
        return self.by_ids(list(found))

    def line(self, code: str) -> list[Concept]:
        """From the first parent up to the root, along first parents."""
        row = self.db.execute("SELECT parent FROM concept WHERE code = ?", (code,)).fetchone()
        found: list[int] = []
        while row and row[0] is not None:
            found.append(row[0])
            row = self.db.execute("SELECT parent FROM concept WHERE id = ?", row).fetchone()
        return self.by_ids(found)

    def children(self, code: str) -> list[Concept]:
        """The concepts directly below a code in book order."""
        if not self.manifest["polyhierarchy"]:
            return [self._concept(row) for row in self.db.execute(_CHILDREN, (code,))]
        below = "c.parent = :id OR c.id IN (SELECT concept FROM edge WHERE parent = :id)"
        rows = self.db.execute(f"{_CONCEPT}WHERE {below} ORDER BY c.id", {"id": self.id_of(code)})
        return [self._concept(row) for row in rows]

    def descendants(self, code: str) -> Iterator[Concept]:
        """Everything below a code in book order, as it is read."""
        itself = self.id_of(code)
        for first, last in self.intervals(code):
            for row in self.db.execute(_BETWEEN, (first, last)):
                if row[9] != itself:
                    yield self._concept(row)

    @cached_property
    def headings(self) -> array[int]:
        """The ids of what orders the book and is no code."""
        return array("I", (n for (n,) in self.db.execute("SELECT id FROM concept WHERE heading ORDER BY id")))

    @cached_property
    def resting(self) -> array[int]:
        """The ids of what is no code, or not in use."""
        sql = "SELECT id FROM concept WHERE heading OR NOT active ORDER BY id"
        return array("I", (n for (n,) in self.db.execute(sql)))

    def concepts(self) -> Iterator[Concept]:
        """All concepts in book order."""
        yield from map(self._concept, self.db.execute(_CONCEPT + "ORDER BY c.id"))

    def terms(self) -> Iterator[Term]:
        """Titles first, then the other terms, each in book order."""
        system = self.edition.system
        for code, text in self.db.execute("SELECT code, display FROM concept ORDER BY id"):
            yield Term(system, code, text, "title")
        rows = self.db.execute("SELECT c.code, n.text, n.kind FROM name n JOIN concept c ON c.id = n.concept")
        for code, text, kind in rows:
            yield Term(system, code, text, kind)

    def names(self, code: str, number: int | None = None) -> list[Name]:
        """The names of a code other than its display; `number` is its place, where that is known."""
        sql = "SELECT text, kind, language, dialects FROM name WHERE concept = ? ORDER BY place"
        rows = self.db.execute(sql, (number or self.id_of(code),))
        return [Name(text, kind, language, tuple((d or "").split())) for text, kind, language, d in rows]

    def notes(self, code: str, number: int | None = None) -> list[tuple[str, str]]:
        """(kind, text) of the notes that stand at this very code; `number` is its place, where that is known."""
        sql = "SELECT kind, text FROM note WHERE concept = ? ORDER BY place"
        return self.db.execute(sql, (number or self.id_of(code),)).fetchall()

    def notes_of_kind(self, kind: str) -> Iterator[tuple[str, str]]:
        """(code, text) of every note of a kind."""
        sql = "SELECT c.code, n.text FROM note n JOIN concept c ON c.id = n.concept WHERE n.kind = ?"
        yield from self.db.execute(sql, (kind,))

    @cached_property
    def _related(self) -> bool:
        """Whether any concept has relations."""
        return bool(self.db.execute("SELECT EXISTS (SELECT 1 FROM relation)").fetchone()[0])

    def relations(self, code: str) -> list[Relation]:
        """The relations of a code other than the hierarchy."""
        if not self._related:
            return []
        sql = f"""SELECT r.type, coalesce(c.code, r.target), r."group"
          FROM relation r LEFT JOIN concept c ON c.id = r.target WHERE r.concept = {_ID} ORDER BY r.place"""
        return [Relation(*row) for row in self.db.execute(sql, (code,))]

    def related(self, type_: str, target: str) -> list[str]:
        """The codes that have a relation to a code, in book order."""
        sql = f"SELECT concept FROM relation WHERE target = {_ID} AND type = ?"
        return self.codes_of(number for (number,) in self.db.execute(sql, (target, type_)))

    def titled(self, text: str) -> list[str]:
        """The codes with a name or display, whatever the case of letters; reads all of them."""
        sql = """SELECT code FROM concept WHERE display = :text COLLATE NOCASE OR id IN
          (SELECT concept FROM name WHERE text = :text COLLATE NOCASE) ORDER BY id"""
        return [code for (code,) in self.db.execute(sql, {"text": text})]

    @cached_property
    def declared(self) -> dict[str, PropertyDef]:
        """The properties of the edition by their code."""
        rows = self.db.execute("SELECT code, type, uri, description FROM declared ORDER BY no")
        return {row[0]: PropertyDef(*row) for row in rows}

    def values(self, property_: str) -> Iterator[tuple[str, array[int]]]:
        """(value, ids that have it) of a property, or of a type of relations; values as text."""
        number = self._number(property_)
        if number is not None:
            rows = self.db.execute("SELECT value, concepts FROM property WHERE no = ?", (number,))
            yield from ((value, array("I", blob)) for value, blob in rows)
            return
        sql = """SELECT coalesce(c.code, r.target), r.concept FROM relation r LEFT JOIN concept c ON c.id = r.target
          WHERE r.type = ? ORDER BY 1, 2"""
        for value, group in groupby(self.db.execute(sql, (property_,)), key=itemgetter(0)):
            yield value, array("I", [concept for _, concept in group])

    def having(self, property_: str, value: str) -> list[str]:
        """The codes that have a value of a property, in book order."""
        sql = "SELECT concepts FROM property WHERE no = ? AND value = ?"
        row = self.db.execute(sql, (self._number(property_), value)).fetchone()
        return self.codes_of(array("I", row[0])) if row else []

    def _number(self, property_: str) -> int | None:
        row = self.db.execute("SELECT no FROM declared WHERE code = ?", (property_,)).fetchone()
        return row[0] if row else None

    def subset(self, id: str) -> Subset | None:
        """The named list of that id; its codes in the order of the source."""
        row = self.db.execute("SELECT title, members FROM subset WHERE id = ?", (id,)).fetchone()
        if row is None:
            return None
        members = array("I", row[1])
        sql = "SELECT id, code FROM concept WHERE id IN (SELECT value FROM json_each(?))"
        codes = dict(self.db.execute(sql, (json.dumps(list(members)),)))
        return Subset(id, row[0], tuple(codes[number] for number in members))

    def has_subset(self, id: str) -> bool:
        """Whether there is a named list of that id."""
        return self.db.execute("SELECT 1 FROM subset WHERE id = ?", (id,)).fetchone() is not None

    def subsets(self) -> list[tuple[str, str, int]]:
        """(id, title, how many members) of each named list."""
        return self.db.execute("SELECT id, title, length(members) / 4 FROM subset ORDER BY id").fetchall()

    def _concept(self, row: Sequence[Any]) -> Concept:
        code, display, billable, active, parent, heading, start, end, detail, number, last = row
        edition = self.edition
        return Concept(
            edition.system,
            code,
            display,
            edition.version,
            None if billable is None else billable == 1,
            active == 1,
            parent,
            heading == 1,
            start and _day(start),
            end and _day(end),
            detail,
            number,
            last,
        )

    def forget_connections(self) -> None:
        """Leave the parent's connections alone in a forked child: another thread may have held one at that moment."""
        _left.append(self._local)
        self._local = threading.local()


def _within(bounds: memoryview | None, number: int) -> bool:
    """Whether a number lies in one of the intervals: first ids, then last ids."""
    if bounds is None:
        return False
    half = len(bounds) // 2
    at = bisect_right(bounds, number, 0, half)
    return at > 0 and number <= bounds[half + at - 1]


def _edition(m: dict[str, Any]) -> Edition:
    start, end = (_day(m[key]) if m[key] else None for key in ("start", "end"))
    return Edition(
        m["system"], m["version"], start, end, m["content"], m["source"], m["licence"],
        m["name"], m["title"], m["fingerprint"], m["sensitive"], m["language"],
    )  # fmt: skip


def _after_fork() -> None:
    for file in _open:
        file.forget_connections()


os.register_at_fork(after_in_child=_after_fork)
