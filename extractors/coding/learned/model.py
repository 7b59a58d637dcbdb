"""The versioned model: phrases with their counts, the forest over candidates, the calibration and the thresholds.

Two files of `extractors/coding/data`: `learned_phrases.tsv` (phrase, documents, then `code documents evidence sources`
for each code) and `learned_model.json`. Made by `extractors.learn`; both carry the attribution of their data.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from extractors.coding.learned.forest import Floats, Forest

PHRASES, MODEL = "learned_phrases.tsv", "learned_model.json"
EVIDENCE, TYPICAL, TITLE, INCLUSION, CURATED, EXACT, PART = 1, 2, 4, 8, 16, 32, 64  # where a meaning comes from
FORMED, COMPOSED = 128, 256  # a term in other words, a kind and a site: `extractors.coding.learned.composed`
TABLES = TITLE | INCLUSION | CURATED
WEAK = TYPICAL | PART | FORMED | COMPOSED
SOURCES = {"title": TITLE, "inclusion": INCLUSION, "curated": CURATED, "synonym": INCLUSION, "index": INCLUSION}


class Meaning(NamedTuple):
    """A code that a phrase may stand for: training documents with both, those where coders marked the phrase for it."""

    code: str
    documents: int
    marked: int
    sources: int


class Phrase(NamedTuple):
    """A phrase, the training documents that have it, and its meanings."""

    text: str
    documents: int
    meanings: tuple[Meaning, ...]


class Model:
    """Immutable and shared; opened at the first narrative that is read."""

    def __init__(self, phrases: Sequence[Phrase], fitted: Mapping[str, Any]) -> None:
        self.phrases = phrases
        self.documents: int = fitted["documents"]  # it was trained on
        self.seen: Mapping[str, int] = fitted["seen"]
        self.modifiers: Mapping[str, Sequence[float]] = fitted.get("modifiers", {})
        self.thresholds: Mapping[str, float] = fitted.get("thresholds", {})
        self._forest = Forest(fitted.get("trees", ()))
        self._calibration: Sequence[Sequence[float]] = fitted.get("calibration", ((0.0, 1.0), (0.0, 1.0)))
        self._automaton = AhoCorasick(
            [f" {'  '.join(p.text.split())} " for p in phrases],
            matchkind=MatchKind.Standard,
            implementation=Implementation.ContiguousNFA,
            store_patterns=False,
        )

    def find(self, normal: str) -> list[tuple[int, int, int]]:
        """(number of the phrase, start, end) of every phrase in a text in normal form, overlapping ones too."""
        return self._automaton.find_matches_as_indexes(normal, overlapping=True)

    def probability(self, rows: Floats) -> list[float]:
        """The calibrated probability of each row of features."""
        return [self.calibrated(float(p)) for p in 1 / (1 + np.exp(-self._forest(rows)))]

    def calibrated(self, p: float) -> float:
        """A raw probability on the isotonic curve, straight between its points."""
        xs, ys = self._calibration
        i = bisect_right(xs, p)
        if i == 0:
            return ys[0]
        if i == len(xs):
            return ys[-1]
        return ys[i - 1] + (ys[i] - ys[i - 1]) * (p - xs[i - 1]) / (xs[i] - xs[i - 1])


def logit(p: float) -> float:
    """The log odds of a probability, kept from the ends."""
    p = min(max(p, 0.002), 0.998)
    return math.log(p / (1 - p))


def read_phrases(text: str) -> list[Phrase]:
    """The phrases of a `learned_phrases.tsv`."""
    found = []
    for line in text.splitlines():
        if line and line[0] != "#":
            phrase, documents, *rest = line.split("\t")
            meanings = [field.split(" ") for field in rest]
            found.append(
                Phrase(phrase, int(documents), tuple(Meaning(c, int(n), int(e), int(s)) for c, n, e, s in meanings))
            )
    return found


def write_phrases(phrases: Sequence[Phrase]) -> str:
    """The lines of a `learned_phrases.tsv`."""
    return "".join(
        "\t".join((p.text, str(p.documents), *(" ".join(map(str, m)) for m in p.meanings))) + "\n" for p in phrases
    )


@cache
def model() -> Model:
    """The model of the package."""
    folder = files("extractors.coding") / "data"
    return Model(read_phrases((folder / PHRASES).read_text("utf-8")), json.loads((folder / MODEL).read_text("utf-8")))
