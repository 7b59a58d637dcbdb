"""Compare what was found name by name, where the sets say no more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from terminology.model import Concept
from terminology.search.words import telling, words

REMEMBERED = 4_096
"""Names whose words stay at hand while somebody types."""


class Why(StrEnum):
    """How a concept answers a text."""

    CODE = "code"
    NAME = "whole name"
    BEGINNING = "beginning of the title"
    TITLE = "words of the title"
    OTHER_NAME = "words of another name"
    WORDS = "words of several names"


ANSWERED = 2.0  # all parts of the text answered by one name
COVERED = 0.7  # all words of a name asked for
IN_ORDER = 0.2  # the name begins with what was asked first
OTHER_NAME = 0.3  # less for a name that is not the title
RARE = 1.8  # from the likeliest concept to the unlikeliest
HEADER = 0.15
TIER = 0.08  # from each of the searcher's sets to the next


@dataclass(frozen=True, slots=True)
class Part:
    """The words that answer one part of a text, and how such words begin."""

    words: frozenset[str]
    starts: tuple[str, ...] = ()

    def fits(self, word: str) -> bool:
        """Whether a word answers it."""
        return word in self.words or (bool(self.starts) and word.startswith(self.starts))


Parts = Sequence[Part]


def best_name(display: str, names: Sequence[str], parts: Parts) -> tuple[str, Why]:
    """The name that answers a text best, and how."""
    if not parts:
        return display, Why.TITLE
    whole = together(parts)
    scored = [(score(text, parts, whole) - OTHER_NAME * (i > 0), -i, text) for i, text in enumerate((display, *names))]
    _, place, text = max(scored)
    if answered(_told(text), parts) < len(parts):
        return text, Why.WORDS
    if place < 0:
        return text, Why.OTHER_NAME
    first = _told(display)[:1]
    return text, Why.BEGINNING if first and parts[0].fits(first[0]) else Why.TITLE


def scored(
    pool: Sequence[int], concepts: Sequence[Concept], names: Mapping[int, Sequence[str]], parts: Parts, size: int
) -> dict[int, float]:
    """How well the best name of each rank answers, weighed by how likely the concept is meant at all."""
    whole = together(parts)
    scores = {}
    for rank, concept in zip(pool, concepts, strict=True):
        best = score(concept.display, parts, whole)
        for text in names.get(rank, ()):
            best = max(best, score(text, parts, whole) - OTHER_NAME)
        scores[rank] = best - RARE * math.sqrt(rank / size) - HEADER * (concept.billable is False)
    return scores


def together(parts: Parts) -> Part:
    """The words that answer any part."""
    return Part(frozenset().union(*(p.words for p in parts)), tuple(s for p in parts for s in p.starts))


def score(text: str, parts: Parts, whole: Part) -> float:
    """How well a name answers a text: which parts of the text it has, and how much else."""
    found = _told(text)
    if not found:
        return 0.0
    asked = [word for word in found if whole.fits(word)]
    if not asked:
        return 0.0
    share = answered(asked, parts) / len(parts)
    return ANSWERED * share + COVERED * len(asked) / len(found) + IN_ORDER * parts[0].fits(found[0])


def answered(found: Sequence[str], parts: Parts) -> int:
    """How many parts of the text have a word among these."""
    return sum(1 for part in parts if any(part.fits(word) for word in found))


@lru_cache(maxsize=REMEMBERED)
def _told(text: str) -> tuple[str, ...]:
    return tuple(telling(words(text)))
