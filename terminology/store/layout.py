"""The tables of a file that holds one code-system edition (https://sqlite.org/lang_createtable.html).

Ids are pre-order numbers from 1 over the tree of first parents: those below concept `c` in that tree are `c.id + 1` to
`c.last`. What lies below a concept by further parents is in `span`.

The word tables for the search belong to `terminology.search`, which makes them from `concept` and `name`.
"""

from __future__ import annotations

LAYOUT = 7
"""Raise when any table changes, those of the search too, or a name of ours: files of another layout are made anew."""

TABLES = """
-- What the file holds: the fields of the edition, counts, hashes, who built it. Values are JSON.
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- parent: id of the first parent. billable: NULL where the system does not know the idea. heading: 1 for a chapter or a
-- block, which is no code. start, end: days of service as ISO dates. properties: JSON object, NULL when empty.
CREATE TABLE concept (id INTEGER PRIMARY KEY, code TEXT NOT NULL{collation}, display TEXT NOT NULL, billable INTEGER,
  active INTEGER NOT NULL, heading INTEGER NOT NULL, parent INTEGER, last INTEGER NOT NULL, start TEXT, "end" TEXT,
  properties TEXT);

-- Further parents, in the order of the source; `place` counts from 1.
CREATE TABLE edge (concept INTEGER, place INTEGER, parent INTEGER NOT NULL, PRIMARY KEY (concept, place)) WITHOUT ROWID;

-- All ids below a concept and its own, where these are not one interval: first ids, then last ids, uint32, both rising.
CREATE TABLE span (concept INTEGER PRIMARY KEY, intervals BLOB NOT NULL);

-- Names other than the display; `place` counts from 0. kind: one of source.KINDS. dialects: NULL or parted by blanks.
CREATE TABLE name (concept INTEGER, place INTEGER, text TEXT NOT NULL, kind TEXT NOT NULL, language TEXT NOT NULL,
  dialects TEXT, PRIMARY KEY (concept, place)) WITHOUT ROWID;

CREATE TABLE note (concept INTEGER, place INTEGER, kind TEXT NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (concept, place)) WITHOUT ROWID;

-- The properties of the edition: what it declares first, then what its concepts carry besides.
CREATE TABLE declared (no INTEGER PRIMARY KEY, code TEXT NOT NULL, type TEXT NOT NULL, uri TEXT, description TEXT);

-- Who has which value: value as text (true, false, the code of a Coding); concepts: their ids as uint32, rising.
CREATE TABLE property (no INTEGER, value TEXT, concepts BLOB NOT NULL, PRIMARY KEY (no, value)) WITHOUT ROWID;

-- Relations other than the hierarchy. target: an id, or the text of a concrete value. "group": 0 for none.
CREATE TABLE relation (concept INTEGER, place INTEGER, type TEXT NOT NULL, target INTEGER NOT NULL, "group" INTEGER,
  PRIMARY KEY (concept, place)) WITHOUT ROWID;

-- Named lists; members: ids as uint32, in the order of the source.
CREATE TABLE subset (id TEXT PRIMARY KEY, title TEXT NOT NULL, members BLOB NOT NULL) WITHOUT ROWID;
"""

INDEXES = """
CREATE INDEX concept_code ON concept (code, last);
CREATE INDEX concept_parent ON concept (parent);
CREATE INDEX concept_resting ON concept (heading, active) WHERE heading OR NOT active;
CREATE INDEX edge_parent ON edge (parent);
CREATE INDEX relation_target ON relation (target, type);
"""


def tables(*, sensitive: bool) -> str:
    """The statements that make the tables; `sensitive` says whether the case of codes counts."""
    return TABLES.replace("{collation}", "" if sensitive else " COLLATE NOCASE")
