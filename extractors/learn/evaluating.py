"""Measure a model on documents it was not trained on, by the whole text way, in both conventions."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from extractors.coding.learned import Model
from extractors.learn.corpus import Row
from extractors.learn.measures import at_recall, calibration_error, f1, surest
from extractors.learn.training import leaves
from extractors.model import Code, Convention
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM

CONVENTIONS: tuple[Convention, ...] = ("mentions", "guidelines")


def evaluate(model: Model, corpus: Sequence[Row], pipeline: Pipeline) -> dict[str, Any]:
    """Figures by convention. `mentions` codes what the coders of research corpora do; `guidelines` what is billed."""
    return {
        "documents": len(corpus),
        **{
            convention: _scored(model, corpus, dataclasses.replace(pipeline, learned=model, convention=convention))
            for convention in CONVENTIONS
        },
    }


def _scored(model: Model, corpus: Sequence[Row], pipeline: Pipeline) -> dict[str, Any]:
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    right_of, said_of, asked_of = Counter[str](), Counter[str](), Counter[str]()
    offered: list[tuple[float, bool]] = []
    causes: Counter[str] = Counter()
    whole = 0
    began = time.process_time()
    results = [pipeline.run(row.text, "inpatient")[1].codes for row in corpus]
    spent = time.process_time() - began
    for row, codes in zip(corpus, results, strict=True):
        asked = leaves(pipeline.lexicon, row)
        found = {c.code: c for c in codes if c.system == ICD10CM and c.status != "rejected"}
        said = {c.code for c in found.values() if c.status == "accepted"}
        offered += [(c.confidence, c.code in asked) for c in found.values()]
        for name, a, b in (
            ("exact", said, asked),
            ("exact_as_printed", said, row.codes),  # of the year of the corpus, retired codes and all
            ("category", {c[:3] for c in said}, {c[:3] for c in asked}),
        ):
            sums[name] = [n + len(x) for n, x in zip(sums[name], (a & b, a, b), strict=True)]
        right_of.update(said & asked)
        said_of.update(said)
        asked_of.update(asked)
        whole += said == asked
        causes.update(_cause(model, code, found.get(code), pipeline) for code in asked - said)
    p, y = np.array([o[0] for o in offered]), np.array([o[1] for o in offered], dtype=float)
    sure = p >= model.thresholds["sure"]
    return {
        **{name: f1(*row) for name, row in sums.items()},
        "macro_f1": _macro(right_of, said_of, asked_of),
        "documents_exact": whole,
        **at_recall(p, y, sums["exact"][2]),
        "sure_band": {"least": model.thresholds["sure"], "p": round(float(y[sure].mean()), 4) if sure.any() else None,
                      "r": round(float(y[sure].sum()) / max(sums["exact"][2], 1), 4)},
        "sure_at": surest(p, y, 0.95),
        "calibration_error": calibration_error(p, y),
        "calibration": _bins(p, y),
        "missed_because": dict(causes.most_common()),
        "by_chapter": _by_chapter(right_of, said_of, asked_of),
        "documents_per_cpu_second": round(len(corpus) / max(spent, 1e-9), 1),
    }  # fmt: skip


def _cause(model: Model, code: str, offered: Code | None, pipeline: Pipeline) -> str:
    if offered is not None:
        return "suggested, not sure enough"
    if not pipeline.lexicon.billable(code):
        return "not a billable code today"
    if code not in model.seen:
        return "never in the training documents"
    return "no phrase found, or refused"


def _macro(right: Counter[str], said: Counter[str], asked: Counter[str]) -> float:
    """Mean F1 over the codes that are said or asked."""
    codes = said.keys() | asked.keys()
    return round(sum(2 * right[c] / (said[c] + asked[c]) for c in codes) / max(len(codes), 1), 4)


def _bins(p: Any, y: Any) -> list[dict[str, float]]:
    rows = []
    for low in range(10):
        inside = (p >= low / 10) & ((p < (low + 1) / 10) | (low == 9))
        if inside.any():
            rows.append({"from": low / 10, "codes": int(inside.sum()), "said": round(float(p[inside].mean()), 3),
                         "right": round(float(y[inside].mean()), 3)})  # fmt: skip
    return rows


def _by_chapter(right: Counter[str], said: Counter[str], asked: Counter[str]) -> dict[str, dict[str, float]]:
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for place, counts in enumerate((right, said, asked)):
        for code, n in counts.items():
            sums[code[0]][place] += n
    return {letter: {**f1(*row), "asked": row[2]} for letter, row in sorted(sums.items())}
