"""The term that is spelled most like a phrase: exact TF-IDF over runs of three characters, no approximate index.

Terms are sets of such runs, weighed by how rare these are; likeness is the cosine, of every term in one pass over the
lists of the terms that have each run of the phrase.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
BASE = len(LETTERS) + 2  # a blank, the letters, and whatever else
LEAST = 0.6
"""Likeness below which nothing is found."""

LONGEST = 80  # characters of a phrase that is looked up
REMEMBERED = 4096
SMALL = 1 << 16
_CODES = bytes(
    0 if chr(byte) == " " else 1 + LETTERS.index(chr(byte)) if chr(byte) in LETTERS else BASE - 1 for byte in range(256)
)


class Alike(NamedTuple):
    """The number of a term, and how alike it is (0–1)."""

    term: int
    likeness: float


class Similar:
    """Immutable; terms and phrases are in normal form with one blank between words."""

    def __init__(self, terms: Sequence[str]) -> None:
        texts = [f" {term} ".encode("ascii", "replace") for term in terms]
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        shift, kind = (16, np.uint32) if len(texts) <= SMALL else (32, np.uint64)  # run and term in one number
        runs, owner = _runs(b"".join(texts)), np.repeat(np.arange(len(texts), dtype=kind), lengths)
        keys = runs.astype(kind)
        keys <<= kind(shift)
        keys |= owner[:-2]
        keys = keys[owner[:-2] == owner[2:]]
        del runs, owner
        keys.sort()
        keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)]]
        self._owner = (keys & kind((1 << shift) - 1)).astype(np.int32)
        keys >>= kind(shift)
        self._ends = np.searchsorted(keys, np.arange(BASE**3, dtype=kind), side="right").astype(np.int32)
        del keys
        often = np.diff(self._ends, prepend=0)
        self._weight = np.log1p(len(texts) / np.maximum(often, 1)).astype(np.float32)
        squares = np.zeros(len(texts))
        for run in np.flatnonzero(often):
            squares[self._owner[self._ends[run] - often[run] : self._ends[run]]] += float(self._weight[run]) ** 2
        self._size = np.sqrt(squares)
        self.best = lru_cache(maxsize=REMEMBERED)(self._best)

    def _best(self, phrase: str, least: float = LEAST) -> Alike | None:
        """The term most alike, the first of equals; None where none is as alike as `least`, or the phrase is long."""
        if not 3 <= len(phrase) <= LONGEST:
            return None
        runs = np.unique(_runs(f" {phrase} ".encode("ascii", "replace")))
        squares = self._weight[runs].astype(float) ** 2
        if not len(self._size) or not squares.any():
            return None
        places = [self._owner[self._ends[run - 1] if run else 0 : self._ends[run]] for run in runs]
        weights = np.repeat(squares, [len(place) for place in places])
        likeness = np.bincount(np.concatenate(places), weights, len(self._size)) / self._size
        best = int(np.argmax(likeness))
        found = float(likeness[best]) / float(squares.sum()) ** 0.5
        return Alike(best, round(found, 4)) if found >= least else None


def _runs(text: bytes) -> Any:
    """The number of each run of three characters."""
    codes = np.frombuffer(text.translate(_CODES), dtype=np.uint8)
    found = codes[:-2].astype(np.uint16)
    for following in (codes[1:-1], codes[2:]):
        found *= np.uint16(BASE)
        found += following
    return found
