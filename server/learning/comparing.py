"""A challenger against the champion on the same documents: differences with a bootstrap over patients.

Paired bootstrap: https://aclanthology.org/W04-3250/ (patients are drawn, since documents of one are alike).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from extractors.coding.learned import Model
from extractors.learn.corpus import Row
from extractors.learn.measures import calibration_error, f1
from extractors.learn.training import leaves
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM

DRAWS = 2000
SEED = 20_260_101
TOLD = 5
"""Documents that a group must have to be told of at all."""


class Subject(NamedTuple):
    """A document that is measured with, and whose it is."""

    row: Row
    patient: str
    groups: dict[str, str]
    """`age` and `sex`."""


class Answers(NamedTuple):
    """What a model made of documents: (right, said, asked) of each, and every offer with whether it was right."""

    counts: Any
    sure: Any
    right: Any

    def f1(self) -> float:
        """Micro F1 of accepted codes."""
        return _f1(self.counts.sum(0))


def answers(model: Model, subjects: Sequence[Subject], pipeline: Pipeline) -> Answers:
    """Code documents with a model by the guidelines, as a server does."""
    own = dataclasses.replace(pipeline, learned=model, convention="guidelines")
    counts, offers = [], []
    for one in subjects:
        asked = leaves(pipeline.lexicon, one.row)
        codes = [c for c in own.run(one.row.text)[1].codes if c.system == ICD10CM and c.status != "rejected"]
        said = {c.code for c in codes if c.status == "accepted"}
        counts.append((len(said & asked), len(said), len(asked)))
        best: dict[str, float] = {}
        for code in codes:
            best[code.code] = max(best.get(code.code, 0.0), code.confidence)
        offers += [(sure, float(code in asked)) for code, sure in sorted(best.items())]
    told = np.array(offers, dtype=float).reshape(-1, 2)
    return Answers(np.array(counts, dtype=float).reshape(-1, 3), told[:, 0], told[:, 1])


def compared(champion: Answers, challenger: Answers, subjects: Sequence[Subject]) -> dict[str, Any]:
    """Figures of both, the gain in micro F1 with its interval of 95 %, and both by age and sex."""
    return {
        "documents": len(subjects),
        "patients": len({one.patient for one in subjects}),
        "champion": _figures(champion),
        "challenger": _figures(challenger),
        "gain": _gain(champion, challenger, [one.patient for one in subjects]),
        "groups": {name: _groups(champion, challenger, subjects, name) for name in ("age", "sex")},
    }


def seconds(one: Callable[[], Any], other: Callable[[], Any], times: int = 2) -> tuple[float, float]:
    """The CPU seconds of each, the best of several turns: they change places, so that neither is always warm."""
    best = [float("inf"), float("inf")]
    for turn in range(times):
        for which in ((0, 1), (1, 0))[turn % 2]:
            began = time.process_time()
            (one, other)[which]()
            best[which] = min(best[which], time.process_time() - began)
    return best[0], best[1]


def _figures(of: Answers) -> dict[str, Any]:
    return {
        **f1(*map(float, of.counts.sum(0))),
        "calibration_error": calibration_error(of.sure, of.right),
        "offers": len(of.sure),
        "documents_exact": int(((of.counts[:, 0] == of.counts[:, 1]) & (of.counts[:, 1] == of.counts[:, 2])).sum()),
    }


def _gain(champion: Answers, challenger: Answers, patients: Sequence[str]) -> dict[str, float]:
    """The difference in micro F1, and where 95 of 100 draws of patients see it."""
    names = sorted(set(patients))
    if not names:
        return {"f1": 0.0, "low": 0.0, "high": 0.0}
    place = {name: n for n, name in enumerate(names)}
    where = np.array([place[name] for name in patients])
    sums = [np.zeros((len(names), 3)), np.zeros((len(names), 3))]
    for total, of in zip(sums, (champion, challenger), strict=True):
        np.add.at(total, where, of.counts)
    draws = np.random.default_rng(SEED).multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
    before, after = (_f1_of(draws @ total) for total in sums)
    low, high = np.percentile(after - before, (2.5, 97.5))
    return {
        "f1": round(challenger.f1() - champion.f1(), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def _groups(champion: Answers, challenger: Answers, subjects: Sequence[Subject], by: str) -> dict[str, dict[str, Any]]:
    """Both by group; of groups of fewer documents than may be told of nothing is."""
    found: dict[str, dict[str, Any]] = {}
    for group in sorted({one.groups[by] for one in subjects}):
        inside = [n for n, one in enumerate(subjects) if one.groups[by] == group]
        if len(inside) < TOLD:
            continue
        before, after = (f1(*map(float, of.counts[inside].sum(0))) for of in (champion, challenger))
        parts = [Answers(of.counts[inside], of.sure, of.right) for of in (champion, challenger)]
        gain = _gain(parts[0], parts[1], [subjects[n].patient for n in inside])
        found[group] = {"documents": len(inside), "champion": before, "challenger": after, "gain": gain}
    return found


def _f1(sums: Any) -> float:
    return float(_f1_of(sums.reshape(1, 3))[0])


def _f1_of(sums: Any) -> Any:
    """2 × right / (said + asked) of each row."""
    return 2 * sums[:, 0] / np.maximum(sums[:, 1] + sums[:, 2], 1)
