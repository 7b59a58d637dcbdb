"""The words of a document in normal form: what stands around a place, and the words of a title that say something."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from extractors.findings.normalise import BREAK, Normal, fold, normalise
from extractors.model import Span

BEGINNING = 5
UNSAID = frozenset(
    re.findall(
        r"\w+",
        "of the a an in with and or to by for at on from unspecified other specified not elsewhere classified without "
        "disease disorder due type initial encounter nos nec part site subsequent as cause",
    )
)


@lru_cache(maxsize=20_000)
def content(title: str) -> frozenset[str]:
    """The words of a title that say something."""
    words = normalise(fold(title)).text.split()
    return frozenset(w for w in words if w not in UNSAID and w != BREAK and not w.isdigit())


def beginnings(words: Iterable[str]) -> frozenset[str]:
    """The first five letters of words: nouns and their adjectives share them."""
    return frozenset(word[:BEGINNING] for word in words)


@dataclass(frozen=True, slots=True)
class Words:
    """A document in normal form, each word between two blanks, with the way back."""

    text: str
    normal: Normal

    def span(self, start: int, end: int) -> Span:
        """Where in the document `text[start:end]` stands."""
        return self.normal.span(start, end)

    def before(self, start: int) -> str:
        """The word before `text[start:]`."""
        return self.text[self.text.rfind(" ", 0, max(start - 1, 0)) + 1 : max(start - 1, 0)]

    def behind(self, end: int) -> str:
        """The word after `text[:end]`."""
        stop = self.text.find(" ", end + 1)
        return self.text[end + 1 : stop] if stop > 0 else ""

    def clause(self, at: int) -> Span:
        """The part of `text` around `at` between two breaks."""
        start = self.text.rfind(f" {BREAK} ", 0, at + 1)
        end = self.text.find(f" {BREAK} ", at)
        return (start + 3 if start >= 0 else 0), (end if end >= 0 else len(self.text))


def read_words(text: str) -> Words:
    """The words of a document."""
    normal = normalise(fold(text))
    return Words(normal.text, normal)
