"""How alike a Spanish and an English word are spelled, once the spellings of both tongues are made one."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SPELLINGS = (("ph", "f"), ("th", "t"), ("rh", "r"), ("qu", "c"), ("k", "c"), ("y", "i"), ("cion", "tion"), ("ae", "e"),
              ("oe", "e"), ("x", "s"), ("j", "i"), ("z", "s"))  # fmt: skip
SHORT = 4  # letters: shorter words are alike only when they are equal


def plain(text: str) -> str:
    """Lower case without accents, same length."""
    return "".join(unicodedata.normalize("NFKD", c)[0] for c in text.lower())


@lru_cache(maxsize=100_000)
def _bare(word: str) -> str:
    for a, b in _SPELLINGS:
        word = word.replace(a, b)
    return re.sub(r"(.)\1", r"\1", word)


def beginning(word: str) -> str:
    """What a word and its cousin share: the first five letters; numbers whole."""
    return word if word.isdigit() else _bare(word)[:5]


@lru_cache(maxsize=100_000)
def _triples(word: str) -> frozenset[str]:
    padded = f"^{_bare(word)}$"
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))


def cognate(a: str, b: str) -> float:
    """How much two words share in spelling, 0–1."""
    if len(a) < SHORT or len(b) < SHORT or a.isdigit() or b.isdigit():
        return float(a == b)
    x, y = _triples(a), _triples(b)
    return 2 * len(x & y) / (len(x) + len(y))
