"""The words of all names of an edition and the concepts that carry them: found by word or by its beginning."""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict

from terminology.folding import fold
from terminology.model import Concept
from terminology.store.file import EditionFile

POOL = 2000  # candidates that are ranked; ids are in book order, so headers come before their details


def write_words(db: sqlite3.Connection) -> None:
    """Make the word table of a file whose concepts and names are written."""
    postings: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    db.execute("CREATE TABLE word (word TEXT PRIMARY KEY, concepts BLOB) WITHOUT ROWID")
    texts = "SELECT id, display FROM concept UNION ALL SELECT concept, text FROM name"
    for concept, text in db.execute(texts):
        for word in set(fold(text).split()):
            postings[word].append(concept)
    rows = ((word, array("I", sorted(set(ids))).tobytes()) for word, ids in sorted(postings.items()))
    db.executemany("INSERT INTO word VALUES (?,?)", rows)


def search(file: EditionFile, text: str, count: int, billable: bool, pool: int = POOL) -> list[Concept]:
    """Up to `count` concepts: an exact code first, then short titles that begin with the text.

    A word that nobody has counts as the beginning of one. Of more than `pool` candidates the first are ranked.
    """
    exact = file.concept(text.strip().upper())
    words = fold(text).split()
    ids: set[int] | None = None
    for i, word in enumerate(words):
        found = _posting(file, word, prefix=i == len(words) - 1) or _posting(file, word, prefix=True)
        ids = found if ids is None else ids & found
        if not ids:
            break
    concepts = [c for c in file.by_ids(sorted(ids or ())[:pool]) if not c.group]
    folded = fold(text)
    concepts.sort(key=lambda c: (not fold(c.display).startswith(folded), len(c.display), c.code))
    if exact is not None:
        concepts = [exact, *(c for c in concepts if c.code != exact.code)]
    return [c for c in concepts if c.billable or not billable][:count]


def _posting(file: EditionFile, word: str, *, prefix: bool) -> set[int]:
    rows = file.db.execute("SELECT concepts FROM word WHERE word = ?", (word,))
    if prefix:
        sql = "SELECT concepts FROM word WHERE word >= ? AND word < ?"
        rows = file.db.execute(sql, (word, word + "\U0010ffff"))
    found: set[int] = set()
    for (blob,) in rows:
        found.update(array("I", blob))
    return found
