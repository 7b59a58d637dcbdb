"""What people say and what the books say for it: `data/sayings.tsv`, sayings and their meanings, each split at |."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from terminology.search.words import telling, words

Phrase = tuple[str, ...]
LONGEST = 6
"""Words of the longest saying."""


@cache
def sayings() -> dict[Phrase, tuple[Phrase, ...]]:
    """Folded saying → its meanings, likeliest first; a word of a meaning that ends in * may go on."""
    text = (Path(__file__).parent / "data" / "sayings.tsv").read_text("utf-8")
    found: dict[Phrase, tuple[Phrase, ...]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        said, meant = line.split("\t")
        meanings = tuple(_meaning(one) for one in meant.split("|"))
        for one in said.split("|"):
            key = tuple(telling(words(one)))
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *meanings)))
    return found


@cache
def said_words() -> frozenset[str]:
    """Every word of a saying."""
    return frozenset(word for phrase in sayings() for word in phrase)


def _meaning(text: str) -> Phrase:
    parts = (part for word in text.split() for part in ([word.lower()] if word.endswith("*") else words(word)))
    return tuple(telling(list(parts)))
