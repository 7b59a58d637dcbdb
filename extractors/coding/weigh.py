"""How sure a phrase makes a code: a small table of weights, learned and calibrated on CodiEsp's training documents.

What depends on the phrase and the code alone is summed when the lexicon is built and kept as its score; the rest is
added for each mention. Weights are those of a logistic regression on held-out folds, then an isotonic map
(https://doi.org/10.1145/1102351.1102430); sections, of which CodiEsp has none, are our own clinical prior.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import cache
from typing import Any

from extractors.coding.tables import table

KINDS = ("curated", "learned", "title", "inclusion")
STATIC = (
    "met",
    "share",
    "often",
    "sure",
    *KINDS,
    "words",
    "exact",
    "sign",
    "status",
    "injury",
    "tumour",
    "seen",
    "nine",
)
DYNAMIC = ("mentions", "place", "historical", "possible")
SHORT = 700  # characters: a text as short as this states, it does not tell a story
ALONE = 240  # characters of a text that states a service and little more
STATES = 2.5
SECTION = {
    "assessment": 2.0, "assessment_plan": 2.0, "diagnoses": 2.5, "chief_complaint": 0.5, "hpi": 0.3, "pmh": 0.8,
    "ros": -0.5, "exam": -0.2, "imaging": -0.2, "labs": -0.5, "plan": 0.3, "instructions": -1.5, "differential": -2.0,
    "medications": 0.3, "allergies": -2.0, "social_history": 0.5, "reasoning": 0.2, "procedures": -0.3,
}  # fmt: skip


def static_features(
    kind: str, share: float | None, documents: int, words: int, code: str, exact: bool, seen: int
) -> list[float]:
    """What the phrase and the code say: `share` of `documents` that have both, `seen` documents with the code."""
    p = 0.5 if share is None else min(max(share, 0.001), 0.999)
    often = math.log1p(documents)
    return [
        float(share is not None), math.log(p / (1 - p)), often, (p - 0.5) * often, *(float(kind == k) for k in KINDS),
        float(min(words, 5)), float(exact), float(code[0] == "R"), float(code[0] == "Z"), float(code[0] in "ST"),
        float(code[0] in "CD"), math.log1p(seen), float(code.endswith("9")),
    ]  # fmt: skip


def dynamic_features(mentions: int, place: float, historical: bool, possible: bool) -> list[float]:
    """What the document says: how often, how early (0–1), and how sure it is itself."""
    return [math.log1p(mentions), place, float(historical), float(possible)]


def static_score(kind: str, share: float | None, documents: int, words: int, code: str, exact: bool) -> float:
    """The share of the logit that the lexicon keeps, as a number between 0 and 1."""
    model = weights()
    features = static_features(kind, share, documents, words, code, exact, model["seen"].get(code, 0))
    total: float = model["bias"] + sum(w * x for w, x in zip(model["static"], features, strict=True))
    return 1 / (1 + math.exp(-total))


def confidence(
    score: float, mentions: int, place: float, *, historical: bool, possible: bool, section: str, short: bool
) -> float:
    """The calibrated confidence of a mention whose meaning has this score."""
    model = weights()
    p = min(max(score, 1e-4), 1 - 1e-4)
    often, early, past, unsure = model["dynamic"]
    said = often * math.log1p(mentions) + early * place + past * float(historical) + unsure * float(possible)
    total = math.log(p / (1 - p)) + said
    total += max(SECTION.get(section, 0.0), STATES if short and section not in SECTION else -9.0)
    return calibrated(1 / (1 + math.exp(-total)))


def calibrated(p: float) -> float:
    """A raw probability on the isotonic curve, straight between its points."""
    xs, ys = weights()["calibration"]
    i = bisect_right(xs, p)
    if i == 0:
        return float(ys[0])
    if i == len(xs):
        return float(ys[-1])
    low, high = xs[i - 1], xs[i]
    return float(ys[i - 1] + (ys[i] - ys[i - 1]) * (p - low) / (high - low))


@cache
def weights() -> dict[str, Any]:
    """The versioned table."""
    model: dict[str, Any] = table("weights")
    return model
