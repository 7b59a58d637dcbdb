"""A read-only file of code-system editions, opened immutable and memory-mapped (https://sqlite.org/uri.html).

Connections are per process: after a fork the child opens its own, and the pages stay shared through the page cache.
"""

from __future__ import annotations

import json
import os
import sqlite3
import weakref
from array import array
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from fhir_profiles.errors import Category, FhirError
from terminology.model import Concept, Edition, Term
from terminology.writer import LAYOUT

_CONCEPT = "SELECT c.id, c.code, c.display, c.billable, c.active, p.code, c.properties, c.last FROM concept c "
_CONCEPT += "LEFT JOIN concept p ON p.id = c.parent "
_open: weakref.WeakSet[EditionFile] = weakref.WeakSet()


class EditionFile:
    """One file; `editions` are in file order and `number` in the calls is the index there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None
        _open.add(self)
        if self.db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
            raise FhirError.of(
                Category.UNAVAILABLE, "exception", f"{path.name} has another layout: run `fhirwright load`"
            )
        rows = self.db.execute(
            'SELECT system, version, start, "end", content, source, licence, name, title, fingerprint '
            "FROM edition ORDER BY no"
        ).fetchall()
        self.editions = tuple(
            Edition(r[0], r[1], _date(r[2]), _date(r[3]), r[4], r[5], r[6], name=r[7], title=r[8], fingerprint=r[9])
            for r in rows
        )

    @property
    def db(self) -> sqlite3.Connection:
        """This process's connection."""
        if self._db is None:
            uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            self._db = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self._db.execute("PRAGMA mmap_size = 268435456")
        return self._db

    def concept(self, number: int, code: str) -> Concept | None:
        """The concept of exactly this code."""
        row = self.db.execute(_CONCEPT + "WHERE c.code = ? AND c.edition = ?", (code, number)).fetchone()
        return row and self._concept(number, row)

    def interval(self, number: int, code: str) -> tuple[int, int] | None:
        """The pre-order id of a code and the last id below it."""
        row = self.db.execute("SELECT id, last FROM concept WHERE code = ? AND edition = ?", (code, number)).fetchone()
        return row and (row[0], row[1])

    def ancestors(self, number: int, code: str) -> list[Concept]:
        """From the parent up to the root."""
        found: list[Concept] = []
        concept = self.concept(number, code)
        while concept is not None and concept.parent is not None:
            concept = self.concept(number, concept.parent)
            if concept is not None:
                found.append(concept)
        return found

    def children(self, number: int, code: str) -> list[Concept]:
        """The direct children in book order."""
        interval = self.interval(number, code)
        if interval is None:
            return []
        rows = self.db.execute(_CONCEPT + "WHERE c.parent = ? ORDER BY c.id", (interval[0],))
        return [self._concept(number, row) for row in rows]

    def descendants(self, number: int, code: str) -> list[Concept]:
        """Everything below a code in book order."""
        interval = self.interval(number, code)
        if interval is None:
            return []
        rows = self.db.execute(_CONCEPT + "WHERE c.id > ? AND c.id <= ? ORDER BY c.id", interval)
        return [self._concept(number, row) for row in rows]

    def concepts(self, number: int) -> Iterator[Concept]:
        """All concepts in book order."""
        for row in self.db.execute(_CONCEPT + "WHERE c.edition = ? ORDER BY c.id", (number,)):
            yield self._concept(number, row)

    def terms(self, number: int) -> Iterator[Term]:
        """Titles first, then the other terms, each in book order."""
        system = self.editions[number].system
        for code, text in self.db.execute("SELECT code, display FROM concept WHERE edition = ? ORDER BY id", (number,)):
            yield Term(system, code, text, "title")
        rows = self.db.execute(
            "SELECT c.code, t.text, t.kind FROM term t JOIN concept c ON c.id = t.concept "
            "WHERE c.edition = ? ORDER BY c.id",
            (number,),
        )
        for code, text, kind in rows:
            yield Term(system, code, text, kind)

    def terms_of(self, number: int, code: str) -> list[str]:
        """The other names of one code."""
        interval = self.interval(number, code)
        rows = self.db.execute("SELECT text FROM term WHERE concept = ?", (interval and interval[0],))
        return [text for (text,) in rows]

    def notes(self, number: int, code: str) -> list[tuple[str, str]]:
        """(kind, text) of the notes that stand at this very code."""
        interval = self.interval(number, code)
        return self.db.execute("SELECT kind, text FROM note WHERE concept = ?", (interval and interval[0],)).fetchall()

    def notes_of_kind(self, number: int, kind: str) -> Iterator[tuple[str, str]]:
        """(code, text) of every note of a kind."""
        yield from self.db.execute(
            "SELECT c.code, n.text FROM note n JOIN concept c ON c.id = n.concept WHERE c.edition = ? AND n.kind = ?",
            (number, kind),
        )

    def posting(self, word: str, prefix: bool) -> set[int]:
        """The concept ids that carry a word, or any word that begins so."""
        sql = "SELECT concepts FROM word WHERE word = ?"
        rows = self.db.execute(sql, (word,))
        if prefix:
            rows = self.db.execute(
                "SELECT concepts FROM word WHERE word >= ? AND word < ?", (word, word + "\U0010ffff")
            )
        found: set[int] = set()
        for (blob,) in rows:
            found.update(array("I", blob))
        return found

    def by_ids(self, number: int, ids: list[int]) -> list[Concept]:
        """The concepts of these ids that belong to the edition, in the order given."""
        marks = ",".join("?" * len(ids))
        rows = self.db.execute(f"{_CONCEPT}WHERE c.edition = ? AND c.id IN ({marks})", (number, *ids)).fetchall()
        order = {concept_id: i for i, concept_id in enumerate(ids)}
        return [self._concept(number, row) for row in sorted(rows, key=lambda r: order[r[0]])]

    def _concept(self, number: int, row: tuple[int, str, str, int | None, int, str | None, str | None, int]) -> Concept:
        edition = self.editions[number]
        return Concept(
            edition.system,
            row[1],
            row[2],
            edition.version,
            None if row[3] is None else bool(row[3]),
            bool(row[4]),
            row[5],
            json.loads(row[6]) if row[6] else {},
        )

    def forget_connection(self) -> None:
        """Leave the parent's connection alone in a forked child."""
        self._db = None


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _after_fork() -> None:
    for file in _open:
        file.forget_connection()


os.register_at_fork(after_in_child=_after_fork)
