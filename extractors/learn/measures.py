"""Figures of a list of weighed codes: F1 at the best threshold, precision at a recall, calibration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

RECALLS = (0.2, 0.25, 0.3, 0.35)
BINS = 10
NEVER = 1000.0  # no sum of probabilities of one category reaches it
AS_GOOD = 0.0005  # of F1: a tenth of what another choice of folds moves it


def f1(right: float, said: float, asked: float) -> dict[str, float]:
    """Micro precision, recall and F1 of counts."""
    p, r = right / max(said, 1), right / max(asked, 1)
    return {"p": round(p, 4), "r": round(r, 4), "f1": round(2 * p * r / max(p + r, 1e-9), 4)}


def best_threshold(p: Any, y: Any, asked: int) -> tuple[float, dict[str, float]]:
    """The lowest threshold whose micro F1 is the highest or as good as it, and the figures there.

    Around its top the curve is flat: of equals the lowest finds most categories. Ties of one probability stay together.
    """
    tried = []
    for low in sorted({round(float(v), 4) for v in p}):
        said = p >= low - 1e-9
        tried.append((low, f1(float(y[said].sum()), float(said.sum()), asked)))
    top = max((scores["f1"] for _, scores in tried), default=0.0)
    return next(((low, scores) for low, scores in tried if scores["f1"] >= top - AS_GOOD), (0.5, {}))


def best_together(p: Any, y: Any, names: Sequence[str], gold: Sequence[frozenset[str]], accept: float) -> float:
    """From which sum of probabilities a category, none of whose codes is accepted, has its likeliest code accepted.

    The one with the highest F1 of categories among those that cost the codes no more F1 than is `AS_GOOD`; `NEVER`
    where none gains. `names` are `number code`, the number that of the document in `gold`.
    """
    asked, categories = sum(map(len, gold)), [{code[:3] for code in codes} for codes in gold]
    families: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        number, code = name.split()
        families[int(number), code[:3]].append(i)
    said = [(i, family) for family, places in families.items() for i in places if p[i] >= accept]
    met = {family for _, family in said}
    doubtful = sorted(
        ((sum(p[i] for i in places), max(places, key=lambda i: p[i]), family)
         for family, places in families.items() if family not in met and len(places) > 1), reverse=True,
    )  # fmt: skip
    right, known = sum(y[i] for i, _ in said), sum(family[1] in categories[family[0]] for family in met)
    least = f1(right, len(said), asked)["f1"] - AS_GOOD
    best, found = f1(known, len(met), sum(map(len, categories)))["f1"], NEVER
    for more, (total, i, family) in enumerate(doubtful, 1):
        right, known = right + y[i], known + (family[1] in categories[family[0]])
        reached = f1(known, len(met) + more, sum(map(len, categories)))["f1"]
        if reached > best and f1(right, len(said) + more, asked)["f1"] >= least:
            best, found = reached, round(float(total), 4)
    return found


def surest(p: Any, y: Any, precision: float) -> float:
    """The lowest probability above which this share is right; 1 where there is none."""
    found = 1.0
    for low in sorted({round(float(v), 4) for v in p}, reverse=True):
        said = p >= low - 1e-9
        if said.any() and y[said].mean() >= precision:
            found = low
    return found


def at_recall(p: Any, y: Any, asked: int, recalls: Sequence[float] = RECALLS) -> dict[str, float]:
    """Precision of the surest codes that reach each recall."""
    order = np.argsort(-np.asarray(p), kind="stable")
    right = np.cumsum(np.asarray(y)[order])
    found = {}
    for recall in recalls:
        i = int(np.searchsorted(right, recall * asked))
        if i < len(right):
            found[f"p_at_r{recall:g}"] = round(float(right[i] / (i + 1)), 4)
    return found


def calibration_error(p: Any, y: Any) -> float:
    """Expected calibration error over ten equal bins."""
    p, y = np.asarray(p, dtype=float), np.asarray(y, dtype=float)
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    off = sum(abs(float(p[bins == b].sum() - y[bins == b].sum())) for b in range(BINS))
    return round(off / max(len(p), 1), 4)
