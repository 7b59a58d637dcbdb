"""Find the English words of Spanish evidence: cognates by spelling, the rest by where words stand in both texts.

CodiEsp marks evidence in the Spanish text only. The English text is its translation, in the same order, so evidence at
a third of the one lies near a third of the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

BINS = 12  # parts of a text within which words are counted as standing together
REACH = 0.07  # of the text to each side of the expected place
LONGEST = 6
LEAST = 0.55
_WORD = re.compile(r"[^\W_]+")
_STOP_ES = frozenset(
    re.findall(r"\w+", "de del la el los las en con y o a al por un una unos unas para sin se su que es no e")
)
_STOP_EN = frozenset(
    re.findall(r"\w+", "of the a an in with and or to by for at on from s his her no as was is were had")
)
_SPELLINGS = (("ph", "f"), ("th", "t"), ("rh", "r"), ("qu", "c"), ("k", "c"), ("y", "i"), ("cion", "tion"), ("ae", "e"),
              ("oe", "e"), ("x", "s"), ("j", "i"), ("z", "s"))  # fmt: skip


def plain(text: str) -> str:
    """Lower case without accents, same length."""
    return "".join(unicodedata.normalize("NFKD", c)[0] for c in text.lower())


@lru_cache(maxsize=100_000)
def skeleton(word: str) -> frozenset[str]:
    """The letter triples of a word after the spellings of both tongues are made one."""
    for a, b in _SPELLINGS:
        word = word.replace(a, b)
    word = re.sub(r"(.)\1", r"\1", word)
    padded = f"^{word}$"
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))


def cognate(a: str, b: str) -> float:
    """How much two words share in spelling, 0–1."""
    x, y = skeleton(a), skeleton(b)
    return 2 * len(x & y) / (len(x) + len(y))


@dataclass
class Translation:
    """How surely a Spanish word means an English one, from where they stand."""

    spanish: dict[str, int]
    english: dict[str, int]
    dice: Any

    def __call__(self, es: str, en: str) -> float:
        """0–1; spelling or standing, whichever says more."""
        spelt = cognate(es, en) if len(es) > 3 and len(en) > 3 else float(es == en)
        spelt = spelt if spelt >= 0.45 else 0.0
        i, j = self.spanish.get(es), self.english.get(en)
        stood = float(self.dice[i, j]) if i is not None and j is not None else 0.0
        return min(1.0, max(spelt * 1.2, stood * 1.6 if stood >= 0.25 else 0.0))


def translation(pairs: Sequence[tuple[str, str]], evidence: Sequence[str]) -> Translation:
    """Count words that stand in the same part of both texts."""
    wanted = {w for text in evidence for w in _WORD.findall(plain(text))} - _STOP_ES
    spanish = {w: i for i, w in enumerate(sorted(wanted))}
    english_words = sorted({w for _, en in pairs for w in _WORD.findall(plain(en))} - _STOP_EN)
    english = {w: i for i, w in enumerate(english_words)}
    here = np.zeros((len(pairs) * BINS, len(spanish)), dtype=np.float32)
    there = np.zeros((len(pairs) * BINS, len(english)), dtype=np.float32)
    for n, (es, en) in enumerate(pairs):
        for words, known, table in ((es, spanish, here), (en, english, there)):
            size = max(len(words), 1)
            for match in _WORD.finditer(plain(words)):
                column = known.get(match[0])
                if column is not None:
                    table[n * BINS + match.start() * BINS // size, column] = 1
    both = here.T @ there
    dice = 2 * both / (here.sum(0)[:, None] + there.sum(0)[None, :] + 1e-6)
    dice[both < 3] = 0
    return Translation(spanish, english, dice)


def english_phrase(means: Translation, es: str, place: float, en: str) -> tuple[str, float] | None:
    """The run of English words near a place (0–1 of the text) that best says Spanish words, with its score."""
    asked = [w for w in _WORD.findall(plain(es)) if w not in _STOP_ES]
    if not asked:
        return None
    left, right = int((place - REACH) * len(en)), int((place + REACH) * len(en))
    words = [(m[0], m.start()) for m in _WORD.finditer(plain(en)) if left - 60 <= m.start() <= right + 60]
    score = [[means(a, w) if w not in _STOP_EN else 0.0 for a in asked] for w, _ in words]
    best: tuple[float, int, int] | None = None
    for i, j in _runs(score, len(words)):
        found = sum(max(score[k][a] for k in range(i, j)) for a in range(len(asked))) / len(asked)
        content = [k for k in range(i, j) if words[k][0] not in _STOP_EN]
        used = sum(max(score[k]) > 0 for k in content) / len(content)
        value = found * used - 0.01 * abs((j - i) - len(asked))
        if best is None or value > best[0]:
            best = (value, i, j)
    if best is None or best[0] < LEAST:
        return None
    value, i, j = best
    start, end = words[i][1], words[j - 1][1] + len(words[j - 1][0])
    return en[start:end], value


def _runs(score: list[list[float]], size: int) -> Iterator[tuple[int, int]]:
    """Runs of words that begin and end with a word that says something."""
    says = [any(row) for row in score]
    for i in range(size):
        if says[i]:
            for j in range(i + 1, min(size, i + LONGEST) + 1):
                if says[j - 1]:
                    yield i, j
