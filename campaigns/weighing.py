"""Fit the weights of `extractors.coding.weigh` on CodiEsp's training documents, each scored by phrases of the others.

A logistic regression (Newton's method in numpy) over the candidates of five held-out folds, then an isotonic map by
pool-adjacent-violators over predictions that no fold saw.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from extractors.coding import lexicon_build
from extractors.coding.lexicon import Lexicon
from extractors.coding.weigh import DYNAMIC, STATIC, dynamic_features, static_features
from extractors.findings.normalise import fold, normalise
from extractors.pages import from_text
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM

WEIGHTS = Path(__file__).parents[1] / "extractors" / "coding" / "data" / "weights.json"
FOLDS = 5
RIDGE = 3.0
Rows = Sequence[tuple[str, str, float, int, str]]
Document = tuple[str, set[str]]


def with_phrases(pipeline: Pipeline, rows: Rows) -> Pipeline:
    """The pipeline with these learned phrases instead of those of the package."""
    known = lexicon_build.learned
    lexicon_build.learned = lambda: [tuple(map(str, row)) for row in rows]
    try:
        return dataclasses.replace(pipeline, lexicon=Lexicon(lexicon_build.compile_terms(pipeline.terminology)))
    finally:
        lexicon_build.learned = known


def candidates(pipeline: Pipeline, rows: Rows, seen: Counter[str], text: str) -> dict[str, list[float]]:
    """Code → features of its best mention, for each code that the text names."""
    shares = {(row[0], row[1]): (float(row[2]), int(row[3])) for row in rows}
    document = from_text(text)
    found: dict[str, list[tuple[Any, ...]]] = {}
    for finding in pipeline.find(document).items:
        best = next((c for c in finding.concepts if c[0] == ICD10CM), None)
        leaf = pipeline.lexicon.leaf(best[1]) if best and finding.kind == "problem" else None
        if leaf is None or best is None:
            continue
        words = normalise(fold(finding.text)).text.split()
        share = shares.get((" ".join(words), leaf))
        kind = next((e.kind for e in pipeline.lexicon.entries(finding.text) if e.code == best[1]), "title")
        found.setdefault(leaf, []).append((share, kind, len(words), leaf == best[1], finding))
    answer = {}
    for code, mentions in found.items():
        share, kind, size, exact, first = max(mentions, key=lambda m: m[0] or (0.0, 0))
        static = static_features(kind, *(share or (None, 0)), size, code, exact, seen[code])
        says = first.assertion
        place = min(m[4].start for m in mentions) / max(len(text), 1)
        answer[code] = static + dynamic_features(len(mentions), place, says.historical, says.possible)
    return answer


def fit(
    pipeline: Pipeline,
    corpus: list[dict[str, Any]],
    learn: Callable[[Pipeline, list[dict[str, Any]]], Rows],
    gold: Callable[[dict[str, Any]], set[str]],
) -> dict[str, Any]:
    """The table of weights, ready to be written."""
    blocks = []
    for k in range(FOLDS):
        rest = [row for i, row in enumerate(corpus) if i % FOLDS != k]
        rows = learn(pipeline, rest)
        seen = Counter(code for row in rest for code in gold(row))
        own = with_phrases(pipeline, rows)
        features, labels = [], []
        for row in corpus[k::FOLDS]:
            right = gold(row)
            for code, values in candidates(own, rows, seen, row["text"]).items():
                features.append(values)
                labels.append(code in right)
        blocks.append((np.array(features), np.array(labels, float)))
    x, y = np.vstack([b[0] for b in blocks]), np.concatenate([b[1] for b in blocks])
    unseen = []
    for k in range(FOLDS):
        others = [b for i, b in enumerate(blocks) if i != k]
        w = logistic(np.vstack([b[0] for b in others]), np.concatenate([b[1] for b in others]))
        unseen.append(_predict(w, blocks[k][0]))
    w = logistic(x, y)
    size = len(STATIC)
    return {
        "source": "CodiEsp v4 training documents (CC BY 4.0, Barcelona Supercomputing Center); campaigns.codiesp train",
        "static_names": STATIC,
        "dynamic_names": DYNAMIC,
        "bias": round(float(w[-1]), 4),
        "static": [round(float(v), 4) for v in w[:size]],
        "dynamic": [round(float(v), 4) for v in w[size:-1]],
        "calibration": isotonic(np.concatenate(unseen), y),
        "seen": dict(sorted(Counter(c for row in corpus for c in gold(row) if pipeline.lexicon.billable(c)).items())),
    }


def logistic(x: Any, y: Any) -> Any:
    """Weights and bias of a logistic regression with a ridge on standardised columns."""
    mean, spread = x.mean(0), x.std(0) + 1e-9
    z = np.hstack([(x - mean) / spread, np.ones((len(x), 1))])
    w = np.zeros(z.shape[1])
    ridge = np.eye(z.shape[1]) * RIDGE
    ridge[-1, -1] = 0
    for _ in range(30):
        p = 1 / (1 + np.exp(-z @ w))
        step = np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + ridge, z.T @ (y - p) - ridge @ w)
        w += step
        if np.abs(step).max() < 1e-6:
            break
    plain = w[:-1] / spread
    return np.append(plain, w[-1] - plain @ mean)


def _predict(w: Any, x: Any) -> Any:
    return 1 / (1 + np.exp(-(x @ w[:-1] + w[-1])))


def isotonic(p: Any, y: Any, least: int = 60) -> list[list[float]]:
    """Points (raw, observed) of a rising curve through groups of at least `least` predictions."""
    order = np.argsort(p)
    groups = [
        [float(p[i].mean()), float(y[i].mean()), float(len(i))] for i in np.array_split(order, len(order) // least)
    ]
    merged: list[list[float]] = []
    for group in groups:
        merged.append(group)
        while len(merged) > 1 and merged[-2][1] >= merged[-1][1]:
            b, a = merged.pop(), merged.pop()
            n = a[2] + b[2]
            merged.append([(a[0] * a[2] + b[0] * b[2]) / n, (a[1] * a[2] + b[1] * b[2]) / n, n])
    return [[round(m[0], 4) for m in merged], [round(min(max(m[1], 0.01), 0.985), 4) for m in merged]]


def write(model: dict[str, Any]) -> None:
    """Write the table where the package reads it."""
    WEIGHTS.write_text(json.dumps(model, indent=0) + "\n", "utf-8")
