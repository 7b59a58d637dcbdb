"""How good probabilities are: ranking (AUC, average precision), calibration (ECE), and intervals by resampling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
ROUNDS = 500
BINS = 10


def auc(truth: Flags, score: Numbers) -> float:
    """Probability that a denied claim has a higher score than one that was paid; ties count half."""
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    yes, no = int(truth.sum()), int((~truth).sum())
    if not yes or not no:
        return float("nan")
    return float((ranks[truth].sum() - yes * (yes + 1) / 2) / (yes * no))


def average_precision(truth: Flags, score: Numbers) -> float:
    """Mean precision at each recall, where equal scores are taken together."""
    order = np.argsort(-score, kind="stable")
    hits, last = truth[order], np.append(np.diff(score[order]) != 0, True)
    found, seen = np.cumsum(hits)[last], np.flatnonzero(last) + 1
    if not found[-1]:
        return float("nan")
    return float(np.sum(np.diff(found, prepend=0) * found / seen) / found[-1])


def ece(truth: Flags, score: Numbers) -> float:
    """Expected calibration error: mean distance of share and score over ten groups of equal size."""
    groups = np.array_split(np.argsort(score, kind="stable"), BINS)
    return float(sum(abs(truth[g].mean() - score[g].mean()) * len(g) for g in groups if len(g)) / len(score))


def brier(truth: Flags, score: Numbers) -> float:
    """Mean squared distance of score and truth."""
    return float(np.mean((score - truth) ** 2))


Measure = Callable[[Flags, Numbers], float]
MEASURES: dict[str, Measure] = {"auc": auc, "average_precision": average_precision, "ece": ece, "brier": brier}


def measured(truth: Flags, score: Numbers, seed: int = 0) -> dict[str, list[float]]:
    """Measure → value, and the 2.5 % and 97.5 % of 500 resamples."""
    dice = np.random.default_rng(seed)
    picks = [dice.integers(0, len(truth), len(truth)) for _ in range(ROUNDS)]
    found = {}
    for name, measure in MEASURES.items():
        drawn = [measure(truth[pick], score[pick]) for pick in picks]
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
        found[name] = [round(float(one), 4) for one in (measure(truth, score), low, high)]
    return found


def isotonic(score: Numbers, truth: Flags) -> tuple[list[float], list[float]]:
    """The steps of the best rising curve from score to share, as points to draw lines between.

    Each step is drawn to the share of all by two claims, so that none says 0 or 1.
    """
    values, places = np.unique(np.round(score, 9), return_inverse=True)
    sizes, hits = np.bincount(places), np.bincount(places, truth)
    blocks: list[list[float]] = []  # claims, denied, sum of scores
    for value, size, hit in zip(values.tolist(), sizes.tolist(), hits.tolist(), strict=True):
        blocks.append([float(size), hit, value * size])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] >= blocks[-1][1] * blocks[-2][0]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    usual = float(truth.mean())
    shares = np.maximum.accumulate([(denied + 2 * usual) / (size + 2) for size, denied, _ in blocks])
    points = [total / size for size, _, total in blocks]
    return [round(one, 9) for one in points], [round(float(one), 9) for one in shares]
