"""The tables of the search inside a file of one edition; `postings` makes them, `index` reads them.

Concepts are named by rank: 0 is the one that is most likely meant when nothing else tells. Chapters and blocks have no
rank and are not found.
"""

from __future__ import annotations

TABLES = """
-- A set of concepts as `bits.pack` writes it.
CREATE TABLE search_set (id INTEGER PRIMARY KEY, concepts BLOB NOT NULL);

-- In whose display a word is the first, in whose display it is, in whose other names alone, only in a name of a header
-- above: numbers of sets. A key that ends in * stands for all words that begin so.
CREATE TABLE search_word (word TEXT PRIMARY KEY, begins INTEGER NOT NULL, title INTEGER NOT NULL, own INTEGER NOT NULL,
  above INTEGER NOT NULL) WITHOUT ROWID;

-- Whole names, by `words.bag`. hits: uint32, `Kind` << 28 | rank.
CREATE TABLE search_name (bag INTEGER PRIMARY KEY, hits BLOB NOT NULL);

-- The words of one length, parted by blanks, and for each the letters it has, as a uint32.
CREATE TABLE search_spelling (length INTEGER PRIMARY KEY, words TEXT NOT NULL, letters BLOB NOT NULL);

-- One row. concepts: ids by rank, ranks: by id from 1, both uint32. billable, active: sets.
CREATE TABLE search_order (concepts BLOB NOT NULL, ranks BLOB NOT NULL, billable BLOB NOT NULL, active BLOB NOT NULL);
"""

UNRANKED = (1 << 32) - 1
RANK_BITS = 28


class Kind:
    """How a whole name names a concept; the lower, the surer that it is meant."""

    TITLE = 0
    OURS = 1
    SHORTENED = 2  # the title without "unspecified" and the like
    LEAF = 3  # the leaf that says no more than a header of that title
    HEADER = 4
    NAME = 5
    LEAF_NAME = 6
    HEADER_NAME = 7


def letters(word: str) -> int:
    """A bit for each letter that a word has, in 32."""
    found = 0
    for letter in word:
        found |= 1 << (ord(letter) & 31)
    return found
