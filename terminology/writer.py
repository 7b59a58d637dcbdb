"""Write code-system editions into one read-only SQLite file, whole or not at all (https://sqlite.org/atomiccommit.html)."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from array import array
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from terminology.folding import fold
from terminology.source import Progress, Source, SourceConcept

LAYOUT = 1  # raise when the tables change: files of another layout are rebuilt
DDL = """
CREATE TABLE edition (no INTEGER PRIMARY KEY, name TEXT, system TEXT, version TEXT, title TEXT, start TEXT, "end" TEXT,
  content TEXT, source TEXT, licence TEXT, fingerprint TEXT, concepts INTEGER, billable INTEGER);
CREATE TABLE concept (id INTEGER PRIMARY KEY, edition INTEGER, code TEXT, display TEXT, billable INTEGER,
  active INTEGER, parent INTEGER, last INTEGER, properties TEXT);
CREATE TABLE term (concept INTEGER, kind TEXT, text TEXT);
CREATE TABLE note (concept INTEGER, kind TEXT, text TEXT);
CREATE TABLE word (word TEXT PRIMARY KEY, concepts BLOB) WITHOUT ROWID;
"""
INDEXES = """
CREATE UNIQUE INDEX concept_code ON concept (code, edition);
CREATE INDEX concept_parent ON concept (parent);
CREATE INDEX term_concept ON term (concept);
CREATE INDEX note_concept ON note (concept);
"""


def write(path: Path, sources: Sequence[Source], progress: Progress | None = None) -> None:
    """Write `sources` to `path` through a temporary file in the same folder and a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".building")
    os.close(handle)
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.executescript(f"PRAGMA user_version = {LAYOUT}; {DDL}")
            db.execute("BEGIN")
            _fill(db, sources, progress)
            db.execute("COMMIT")
            db.executescript(f"{INDEXES} ANALYZE;")
        with Path(temporary).open("rb") as file:
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _fill(db: sqlite3.Connection, sources: Sequence[Source], progress: Progress | None) -> None:
    postings: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    first = 1
    for number, source in enumerate(sources):
        concepts = _preorder(list(source.concepts()))
        ids = {concept.code: first + i for i, concept in enumerate(concepts)}
        last = _last(concepts, ids)
        for i, concept in enumerate(concepts):
            _insert(db, number, ids, last, concept, postings)
            if progress and i % 5000 == 0:
                progress(f"{source.title} {source.version}", i, len(concepts))
        db.execute(
            "INSERT INTO edition VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                number,
                source.name,
                source.system,
                source.version,
                source.title,
                source.start and source.start.isoformat(),
                source.end and source.end.isoformat(),
                source.content,
                source.origin,
                source.licence,
                source.fingerprint,
                len(concepts),
                sum(1 for c in concepts if c.billable),
            ),
        )
        first += len(concepts)
        if progress:
            progress(f"{source.title} {source.version}", len(concepts), len(concepts))
    rows = ((word, ids.tobytes()) for word, ids in sorted(postings.items()))
    db.executemany("INSERT INTO word VALUES (?,?)", rows)


def _preorder(concepts: list[SourceConcept]) -> list[SourceConcept]:
    """The concepts so that every descendant follows its ancestor without a stranger between."""
    children: defaultdict[str | None, list[SourceConcept]] = defaultdict(list)
    for concept in concepts:
        children[concept.parents[0] if concept.parents else None].append(concept)
    ordered: list[SourceConcept] = []
    stack = children[None][::-1]
    while stack:
        concept = stack.pop()
        ordered.append(concept)
        stack.extend(children[concept.code][::-1])
    return ordered


def _last(concepts: list[SourceConcept], ids: dict[str, int]) -> dict[str, int]:
    last = dict(ids)
    for concept in reversed(concepts):
        if concept.parents:
            last[concept.parents[0]] = max(last[concept.parents[0]], last[concept.code])
    return last


def _insert(
    db: sqlite3.Connection,
    edition: int,
    ids: dict[str, int],
    last: dict[str, int],
    concept: SourceConcept,
    postings: defaultdict[str, array[int]],
) -> None:
    number = ids[concept.code]
    properties = {**concept.properties, **({"group": True} if concept.group else {})}
    db.execute(
        "INSERT INTO concept VALUES (?,?,?,?,?,?,?,?,?)",
        (
            number,
            edition,
            concept.code,
            concept.display,
            concept.billable,
            concept.active,
            ids[concept.parents[0]] if concept.parents else None,
            last[concept.code],
            json.dumps(properties, separators=(",", ":")) if properties else None,
        ),
    )
    if concept.names:
        db.executemany("INSERT INTO term VALUES (?,?,?)", [(number, n.kind, n.text) for n in concept.names])
    if concept.notes:
        db.executemany("INSERT INTO note VALUES (?,?,?)", [(number, kind, text) for kind, text in concept.notes])
    words = set(fold(concept.display).split())
    for name in concept.names:
        words.update(fold(name.text).split())
    for word in words:
        postings[word].append(number)
