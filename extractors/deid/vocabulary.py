"""Words and names: which token is a word of English or of medicine, and which people bear."""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from extractors.coding.lexicon import Lexicon
from extractors.model import Span


class Lists(NamedTuple):
    """The lists that ship; all in small letters."""

    family: dict[str, str]  # → group
    given: dict[str, str]  # → sex
    words: frozenset[str]  # that English writes small
    proper: frozenset[str]  # that English writes with a capital only
    eponyms: frozenset[str]


@cache
def lists() -> Lists:
    """The word lists, read once."""
    listed = _read("words")
    words = frozenset(word for word in listed if word.islower())
    proper = frozenset(word.lower() for word in listed if not word.islower()) - words
    return Lists(_pairs("family"), given_names(), words, proper, eponyms())


@cache
def given_names() -> dict[str, str]:
    """Given names in small letters → sex."""
    return _pairs("given")


@cache
def eponyms() -> frozenset[str]:
    """Names in medicine that are no person of the note."""
    text = files("extractors.deid").joinpath("data/eponyms.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _read(name: str) -> Sequence[str]:
    packed = files("extractors.deid").joinpath(f"data/{name}.txt.xz").read_bytes()
    return lzma.decompress(packed).decode().splitlines()


def _pairs(name: str) -> dict[str, str]:
    return dict(line.split("\t") for line in _read(name))


class Vocabulary:
    """The words of medicine as the terminology has them, beside the lists. Immutable; share it.

    `phrases` are the spans of clinical phrases in a text, which stay what they are so that codes survive.
    """

    def __init__(self, clinical: Iterable[str] = (), phrases: Callable[[str], Sequence[Span]] | None = None) -> None:
        self.clinical = frozenset(clinical)
        self._phrases = phrases

    @classmethod
    def of(cls, lexicon: Lexicon) -> Vocabulary:
        """The vocabulary of a lexicon: its words and its phrases of several words."""

        def phrases(text: str) -> list[Span]:
            spans = [(hit.start, hit.end) for hit in lexicon.find(text)]
            return [(start, end) for start, end in spans if any(c.isspace() for c in text[start:end])]

        return cls(lexicon.words(), phrases)

    def phrases(self, text: str) -> Sequence[Span]:
        """Where clinical phrases of several words stand, in order."""
        return self._phrases(text) if self._phrases is not None else ()

    def is_word(self, token: str) -> bool:
        """Whether English or medicine has it as a word; the possessive and a hyphen do not matter."""
        folded = token.lower()
        if folded in lists().words or folded in self.clinical:
            return True
        return "-" in folded and all(self.is_word(part) for part in folded.split("-") if part)
