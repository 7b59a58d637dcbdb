"""Learn from claims and what payers decided about them: earlier ones to learn, later ones to test.

Trees are those of scikit-learn (https://scikit-learn.org/stable/modules/ensemble.html), fitted on the earlier claims.
How many there are, and the curve that makes probabilities of them, come from five folds by patient, each scored by
trees that have not seen it. Rates of codes and payers are made without the fold, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from claims.learn import charges as charging
from claims.learn import rates as rating
from claims.learn.charges import Charges
from claims.learn.columns import Table
from claims.learn.features import Numbers, column, features, rated
from claims.learn.measure import Flags, auc, isotonic, measured
from claims.learn.model import Denial
from claims.learn.trees import DEPTH, Forest, Tree
from fhir_profiles.errors import Category, FhirError

FEWEST, FEWEST_EACH, FEWEST_TEST = 500, 60, 15
"""Claims with a decision; denied and not denied ones among them; the same among the later ones."""
LATER = 0.2
FOLDS = 5
MOST_TREES = 160
_LEAVES, _RATE = 12, 0.08


class Known(NamedTuple):
    """Claims with a decision: which rows of a table they are, whether they were denied, whose they are, and when."""

    rows: NDArray[np.int64]
    denied: Flags
    patients: Sequence[str]
    days: NDArray[np.int64]


class Learned(NamedTuple):
    """What was learned, the rows that it was learned from and tested on, and the report."""

    denial: Denial
    trained: NDArray[np.int64]
    tested: NDArray[np.int64]
    report: dict[str, Any]


def enough(known: Known) -> str:
    """Why there are too few decisions to learn from; empty when there are enough."""
    if find_spec("sklearn") is None:
        return "scikit-learn is not installed: install fhirwright[learned]"
    yes, no = int(known.denied.sum()), int((~known.denied).sum())
    if len(known.rows) < FEWEST or min(yes, no) < FEWEST_EACH:
        return (
            f"There are {yes + no} claims with a decision, {yes} of them denied: at least {FEWEST} are needed, "
            f"{FEWEST_EACH} denied and {FEWEST_EACH} not"
        )
    _, later = split(known)
    late = int(known.denied[later].sum())
    if min(late, len(later) - late) < FEWEST_TEST:
        return (
            f"Of the {len(later)} latest claims {late} were denied: at least {FEWEST_TEST} of each are needed to test"
        )
    return ""


def split(known: Known) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(earlier, later): places in `known`, by day; claims of one day stay together."""
    order = np.argsort(known.days, kind="stable")
    edge = known.days[order[int(len(order) * (1 - LATER))]]
    earlier = known.days < edge
    if not earlier.any():
        return order[: int(len(order) * (1 - LATER))], order[int(len(order) * (1 - LATER)) :]
    return np.flatnonzero(earlier), np.flatnonzero(~earlier)


def learn_denial(table: Table, known: Known, charges: Charges, rules: frozenset[str], seed: int = 0) -> Learned:
    """Learn who is denied; `enough` has said that there are decisions to learn from."""
    earlier, later = split(known)
    rows, truth = known.rows, known.denied
    keys = rating.keys_of(table)
    answers = np.zeros(table.size, np.bool_)
    answers[rows] = truth
    rates = rating.fit(keys, answers, rows[earlier])
    every = features(table, rates, charges, rules)
    folds = np.array([int(hashlib.sha256(known.patients[at].encode()).hexdigest(), 16) % FOLDS for at in earlier])
    seen = every[rows[earlier]]
    for fold in np.unique(folds):
        inside = folds == fold
        others = rating.fit(keys, answers, rows[earlier[~inside]])
        for kind in rating.KINDS:
            mine = [keys[kind][row] for row in rows[earlier[inside]]]
            part = column(seen, f"rate {kind}").copy()
            part[inside] = others.highest(kind, mine)
            rated(seen, kind, part)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the same trees wherever they are fitted, and no threads that wait for each other
        count, margins = _folded(seen, truth[earlier], folds, seed)
        forest = _fitted(seen, truth[earlier], count, seed)
    points, shares = isotonic(margins, truth[earlier])
    denial = Denial(rates, forest, points, shares)
    scores = denial.probability(forest.base + forest.contributions(every[rows[later]]).sum(axis=1))
    report = _report(truth[earlier], truth[later], scores, column(every, "rate payer_code")[rows[later]])
    report["payers"] = _by_payer([table.claims["payer_id"][row] for row in rows[later]], truth[later], scores)
    report["trees"], report["features"] = count, _weights(forest, every[rows[later]])
    return Learned(denial, rows[earlier], rows[later], report)


class _Boosted(NamedTuple):
    """Fitted trees, and the columns that they were fitted on: those that hold more than one value."""

    model: Any
    columns: NDArray[np.int64]


def _boosted(seen: Numbers, truth: Flags, count: int, seed: int) -> _Boosted:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=count, learning_rate=_RATE, max_leaf_nodes=_LEAVES, max_depth=DEPTH, early_stopping=False,
        min_samples_leaf=max(20, len(truth) // 1_000), l2_regularization=5.0, random_state=seed,
    )  # fmt: skip
    columns = np.flatnonzero(np.fmax.reduce(seen) > np.fmin.reduce(seen))
    return _Boosted(model.fit(seen[:, columns], truth), columns)


def _folded(seen: Numbers, truth: Flags, folds: NDArray[np.int64], seed: int) -> tuple[int, Numbers]:
    """How many trees say it best, and what so many say of each claim that they have not seen."""
    staged = np.zeros((MOST_TREES, len(truth)))
    for fold in np.unique(folds):
        inside = folds == fold
        model, columns = _boosted(seen[~inside], truth[~inside], MOST_TREES, seed)
        for stage, said in enumerate(model.staged_predict_proba(seen[inside][:, columns])):
            share = np.clip(said[:, 1], 1e-9, 1 - 1e-9)
            staged[stage, inside] = np.log(share / (1 - share))
    losses = np.logaddexp(0, np.where(truth, -staged, staged)).mean(axis=1)
    best = int(losses.argmin())
    return best + 1, staged[best]


def _fitted(seen: Numbers, truth: Flags, count: int, seed: int) -> Forest:
    """The trees as plain numbers, held against what scikit-learn says of the same claims."""
    model, columns = _boosted(seen, truth, count, seed)
    trees = [_tree(stage[0].nodes, columns) for stage in model._predictors]
    forest = Forest(float(np.ravel(model._baseline_prediction)[0]), trees)
    some = seen[:200]
    if not np.allclose(forest.plain(some), model.decision_function(some[:, columns]), rtol=0, atol=1e-9):
        text = "This version of scikit-learn lays its trees out in another way: install another one"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
    return forest


def _tree(nodes: NDArray[Any], columns: NDArray[np.int64]) -> Tree:
    """The root stands first and children after their parent, as scikit-learn has them."""
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        np.where(leaf, -1, columns[nodes["feature_idx"]]).tolist(),
        [float(one) for one in np.where(leaf, 0.0, nodes["num_threshold"])],
        nodes["missing_go_to_left"].astype(bool).tolist(),
        nodes["left"].tolist(),
        nodes["right"].tolist(),
        [float(one) if is_leaf else 0.0 for one, is_leaf in zip(nodes["value"], leaf, strict=True)],
        [float(one) for one in nodes["count"]],
    )


def _report(before: Flags, truth: Flags, scores: Numbers, baseline: Numbers) -> dict[str, Any]:
    return {
        "base rate": {"earlier": round(float(before.mean()), 4), "later": round(float(truth.mean()), 4)},
        "model": measured(truth, scores),
        "baseline": measured(truth, baseline),
    }


def _by_payer(payers: Sequence[str | None], truth: Flags, scores: Numbers) -> list[dict[str, Any]]:
    """Payers with at least 50 later claims, the most frequent first."""
    found = []
    names, counts = np.unique(np.array([payer or "" for payer in payers]), return_counts=True)
    for name in names[np.argsort(-counts, kind="stable")][:50]:
        mine = np.array([(payer or "") == name for payer in payers])
        if mine.sum() < 50:
            break
        part = truth[mine]
        area = round(auc(part, scores[mine]), 4) if 0 < part.sum() < len(part) else None
        means = {"denied": round(float(part.mean()), 4), "expected": round(float(scores[mine].mean()), 4)}
        found.append({"payer": str(name) or "not said", "claims": int(mine.sum()), **means, "auc": area})
    return found


def _weights(forest: Forest, rows: Numbers) -> dict[str, float]:
    """The features that move the later claims most: mean distance, in log-odds."""
    from claims.learn.features import NAMES

    means = np.abs(forest.contributions(rows[:20_000])).mean(axis=0)
    order = np.argsort(-means, kind="stable")[:20]
    return {NAMES[place]: round(float(means[place]), 4) for place in order if means[place] > 0}


def learn_charges(table: Table, rows: NDArray[np.int64] | None = None) -> Charges:
    """What is usually charged, in all claims or some."""
    lines = charging.lines_of(table)
    wanted: Mapping[int, None] | None = None if rows is None else dict.fromkeys(rows.tolist())
    return charging.fit([line for line in lines if wanted is None or line.row in wanted])
