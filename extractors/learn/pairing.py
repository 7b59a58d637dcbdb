"""Which sentences of an original say what which sentences of its translation say: both are in the same order.

Dynamic programming over beads of one to three sentences, as Gale and Church (https://aclanthology.org/J93-1004/), but
scored by the rarity of the word beginnings that both sides share.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from extractors.findings.normalise import BREAK, fold, normalise
from extractors.learn.cognates import beginning, plain
from extractors.model import Span

_WORD = re.compile(r"[^\W_]+")
_END = re.compile(r"(?<=[.!?;:])\s+(?=[A-ZÁÉÍÓÚÑ0-9\-(¿])|\n+")
BEADS = ((1, 1), (1, 0), (0, 1), (2, 1), (1, 2), (3, 1), (1, 3))
ALONE, JOINED, LENGTH, BAND = 1.5, 1.0, 2.0, 12


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a sentence and where each stands in its document."""

    words: tuple[str, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Sentences that say the same."""

    original: Words
    translation: Words


def sentences_of_original(text: str) -> list[Words]:
    """The sentences of the original: words in lower case without accents."""
    found, start = [], 0
    for end, after in [*((m.start(), m.end()) for m in _END.finditer(text)), (len(text), len(text))]:
        matches = [*_WORD.finditer(text, start, end)]
        if matches:
            found.append(Words(tuple(plain(m[0]) for m in matches), tuple(m.span() for m in matches)))
        start = after
    return found


def sentences_of_translation(text: str) -> list[Words]:
    """The lines of the translation, in the normal form of the matcher."""
    found, start = [], 0
    for line in text.split("\n"):
        normal = normalise(fold(line))
        words, spans, at = [], [], 0
        for piece in normal.text.split():
            at = normal.text.index(f" {piece} ", at)
            stop = at + len(piece) + 2
            if piece != BREAK:
                a, b = normal.span(at, stop)
                words.append(piece)
                spans.append((start + a, start + b))
            at = stop
        if words:
            found.append(Words(tuple(words), tuple(spans)))
        start += len(line) + 1
    return found


class Pairing:
    """Pairs sentences; word beginnings weigh by their rarity in all the documents given."""

    def __init__(self, documents: Sequence[tuple[list[Words], list[Words]]]) -> None:
        sentences = [s for pair in documents for side in pair for s in side]
        common = Counter(b for s in sentences for b in set(_beginnings(s)))
        self._weight = {b: math.log(len(sentences) / n) for b, n in common.items()}

    def __call__(self, original: list[Words], translation: list[Words]) -> list[Pair]:
        """The pairs of a document, in order."""
        n, m = len(original), len(translation)
        one, other = _Side(original), _Side(translation)
        best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
        band = max(BAND, abs(n - m) + 8)
        for i in range(n + 1):
            for j in range(m + 1):
                if (i, j) not in best or abs(i * m / max(n, 1) - j) > band:
                    continue
                for a, b in BEADS:
                    if i + a > n or j + b > m:
                        continue
                    gain = self._gain(one, other, i, j, a, b) if a and b else -ALONE
                    score = best[i, j][0] + gain
                    if score > best.get((i + a, j + b), (-math.inf,))[0]:
                        best[i + a, j + b] = (score, (a, b))
        return _read_back(best, original, translation)

    def _gain(self, one: _Side, other: _Side, i: int, j: int, a: int, b: int) -> float:
        x, y = one.beginnings(i, a), other.beginnings(j, b)
        shared = sum(min(n, y[k]) * self._weight[k] for k, n in x.items() if k in y)
        ratio = (one.length(i, a) + 5) / (other.length(j, b) + 5)
        return shared - LENGTH * abs(math.log(ratio)) - (JOINED if a + b > 2 else 0.0)


class _Side:
    """Sums over runs of sentences."""

    def __init__(self, sentences: list[Words]) -> None:
        self._bags = [_beginnings(s) for s in sentences]
        self._lengths = [0, *accumulate(sum(map(len, s.words)) for s in sentences)]

    def beginnings(self, i: int, count: int) -> Counter[str]:
        return self._bags[i] if count == 1 else sum(self._bags[i : i + count], Counter())

    def length(self, i: int, count: int) -> int:
        return self._lengths[i + count] - self._lengths[i]


def _beginnings(sentence: Words) -> Counter[str]:
    return Counter(beginning(w) for w in sentence.words if len(w) > 3 or w.isdigit())


def _read_back(
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]], original: list[Words], translation: list[Words]
) -> list[Pair]:
    at = (len(original), len(translation))
    pairs: list[Pair] = []
    while at != (0, 0) and at in best:
        a, b = best[at][1]
        i, j = at[0] - a, at[1] - b
        if a and b:
            pairs.append(Pair(_joined(original[i : at[0]]), _joined(translation[j : at[1]])))
        at = (i, j)
    return pairs[::-1]


def _joined(sentences: list[Words]) -> Words:
    return Words(tuple(w for s in sentences for w in s.words), tuple(span for s in sentences for span in s.spans))
