"""Read the tables of the search: which concepts have a word, a beginning, a whole name, a code."""

from __future__ import annotations

import sqlite3
from array import array
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

from terminology.search import bits
from terminology.search.intervals import Intervals
from terminology.search.layout import RANK_BITS, UNRANKED

REMEMBERED = 64
"""Words and beginnings whose sets stay at hand."""

MOST_CODES = 100_000
_LAST = "\U0010ffff"


class File(Protocol):
    """What the search needs of a file: a connection of the thread that asks."""

    @property
    def db(self) -> sqlite3.Connection:
        """The connection."""


class Sets(NamedTuple):
    """Who has a word: first in the display, in the display, in any own name, in any name of its own or of a header."""

    begins: int
    title: int
    own: int
    above: int


NOBODY = Sets(0, 0, 0, 0)


def both(a: Sets, b: Sets) -> Sets:
    """Who has one thing and then another."""
    return Sets(a.begins & b.title, a.title & b.title, a.own & b.own, a.above & b.above)


def either(a: Sets, b: Sets) -> Sets:
    """Who has one thing or another."""
    return Sets(a.begins | b.begins, a.title | b.title, a.own | b.own, a.above | b.above)


class Index:
    """The search tables of one file."""

    def __init__(self, file: File) -> None:
        self._file = file
        self.word = lru_cache(REMEMBERED)(self._word)
        self.beginning = lru_cache(REMEMBERED)(self._beginning)
        self.vocabulary = lru_cache(8)(self._vocabulary)
        self.between = lru_cache(8)(self._between)

    @cached_property
    def order(self) -> array[int]:
        """Ids by rank."""
        return array("I", self._file.db.execute("SELECT concepts FROM search_order").fetchone()[0])

    @cached_property
    def ranks(self) -> array[int]:
        """Ranks by id, from 1."""
        return array("I", self._file.db.execute("SELECT ranks FROM search_order").fetchone()[0])

    @cached_property
    def size(self) -> int:
        """How many concepts can be found."""
        length: int = self._file.db.execute("SELECT length(concepts) FROM search_order").fetchone()[0]
        return length // 4

    @cached_property
    def billable(self) -> int:
        """The set of those that may be billed."""
        return bits.unpack(self._file.db.execute("SELECT billable FROM search_order").fetchone()[0], self.size)

    @cached_property
    def active(self) -> int:
        """The set of those in use."""
        return bits.unpack(self._file.db.execute("SELECT active FROM search_order").fetchone()[0], self.size)

    def _word(self, word: str) -> Sets | None:
        """Who has a word; None for a word that nobody has."""
        row = self._file.db.execute(_WORD, (word,)).fetchone()
        return None if row is None else self._sets(row)

    def _beginning(self, start: str) -> Sets | None:
        """Who has a word that begins so."""
        kept = self._word(start + "*")
        if kept is not None:
            return kept
        rows = self._file.db.execute(_RANGE, (start, start + _LAST)).fetchall()
        if not rows:
            return None
        begins, title, own, above = (bits.gathered(column, self.size) for column in zip(*rows, strict=True))
        return Sets(begins, title, title | own, title | own | above)

    def has(self, word: str) -> bool:
        """Whether somebody has a word."""
        return self._file.db.execute("SELECT 1 FROM search_word WHERE word = ?", (word,)).fetchone() is not None

    def has_beginning(self, start: str) -> bool:
        """Whether somebody has a word that begins so."""
        sql = "SELECT 1 FROM search_word WHERE word >= ? AND word < ? LIMIT 1"
        return self._file.db.execute(sql, (start, start + _LAST)).fetchone() is not None

    def _sets(self, row: tuple[bytes, bytes, bytes, bytes]) -> Sets:
        begins, title, own, above = (bits.unpack(packed, self.size) for packed in row)
        return Sets(begins, title, title | own, title | own | above)

    def named(self, bag: int) -> list[tuple[int, int]]:
        """(kind, rank) of those that have the whole name, surest first."""
        row = self._file.db.execute("SELECT hits FROM search_name WHERE bag = ?", (bag,)).fetchone()
        mask = (1 << RANK_BITS) - 1
        return [(hit >> RANK_BITS, hit & mask) for hit in array("I", row[0])] if row else []

    def codes(self, low: str, high: str) -> list[int]:
        """The ranks of the codes from `low` up to those that begin with `high`, in the order of the book."""
        sql = "SELECT id FROM concept WHERE code >= ? AND code < ? ORDER BY id LIMIT ?"
        rows = self._file.db.execute(sql, (low, high + _LAST, MOST_CODES))
        ranks = (self.ranks[number - 1] for (number,) in rows)
        return [rank for rank in ranks if rank != UNRANKED]

    def code(self, rank: int) -> str:
        """The code of a rank."""
        row = self._file.db.execute("SELECT code FROM concept WHERE id = ?", (self.order[rank],)).fetchone()
        return str(row[0])

    def _between(self, intervals: Intervals) -> int:
        """The set of the ids in these intervals, both ends included."""
        marks = bytearray(b"0") * self.size
        for first, last in intervals:
            for rank in self.ranks[first - 1 : last]:
                if rank != UNRANKED:
                    marks[rank] = 49
        marks.reverse()
        return int(marks, 2) if marks else 0

    def _vocabulary(self, length: int) -> tuple[list[str], array[int]]:
        """The words of a length, and the letters of each."""
        sql = "SELECT words, letters FROM search_spelling WHERE length = ?"
        row = self._file.db.execute(sql, (length,)).fetchone()
        return (row[0].split(" "), array("I", row[1])) if row else ([], array("I"))


_SETS = "(SELECT concepts FROM search_set WHERE id = {})"
_FOUR = ", ".join(_SETS.format(column) for column in ("begins", "title", "own", "above"))
_WORD = f"SELECT {_FOUR} FROM search_word WHERE word = ?"
_RANGE = f"SELECT {_FOUR} FROM search_word WHERE word >= ? AND word < ? AND substr(word, -1) <> '*'"
