"""Trees, measures, decisions and the file of a model, each against what is known of it."""

from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest

from campaigns.claiming.learning import response
from claims.learn.charges import Charges, Line, Norm
from claims.learn.decisions import Decision, pair, read_decision
from claims.learn.measure import auc, average_precision, brier, ece, isotonic, measured
from claims.learn.model import read_model, write_model
from claims.learn.trees import Forest, Tree
from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CLAIM_CONTENT, X12_ADJUSTMENT_GROUPS, X12_ADJUSTMENT_REASONS

from .conftest import World

TREE = Tree(
    [0, 1, 0, -1, -1, -1, -1], [0.5, 2.0, 5.0, 0.0, 0.0, 0.0, 0.0], [True, False, True, False, False, False, False],
    [1, 3, 5, 0, 0, 0, 0], [2, 4, 6, 0, 0, 0, 0], [0.0, 0.0, 0.0, 1.0, -2.0, 3.0, 0.5], [100, 60, 40, 20, 40, 10, 30],
)  # fmt: skip


def _worth(tree: Tree, row: np.ndarray, known: set[int], node: int = 0) -> float:
    """What a tree says when only some features are known: where one is not, both ways by their shares."""
    if tree.feature[node] < 0:
        return tree.value[node]
    left, right = tree.left[node], tree.right[node]
    if tree.feature[node] not in known:
        shares = [tree.count[child] / tree.count[node] for child in (left, right)]
        return shares[0] * _worth(tree, row, known, left) + shares[1] * _worth(tree, row, known, right)
    value = row[tree.feature[node]]
    goes_left = tree.missing_left[node] if np.isnan(value) else value <= tree.threshold[node]
    return _worth(tree, row, known, left if goes_left else right)


def test_contributions_are_shapley_values() -> None:
    """Contributions equal the sum over all orders in which features become known, also of unknown values."""
    dice = np.random.default_rng(1)
    rows = dice.uniform(-1, 7, (50, 3))
    rows[dice.random(rows.shape) < 0.2] = np.nan
    forest = Forest(0.25, [TREE, TREE])
    found = forest.contributions(rows)
    for row, mine in zip(rows, found, strict=True):
        for one in range(3):
            others = [n for n in range(3) if n != one]
            expected = 0.0
            for size in range(3):
                for known in map(set, combinations(others, size)):
                    weight = factorial(size) * factorial(2 - size) / factorial(3)
                    expected += 2 * weight * (_worth(TREE, row, known | {one}) - _worth(TREE, row, known))
            assert mine[one] == pytest.approx(expected, abs=1e-12)
    assert forest.base == pytest.approx(0.25 + 2 * _worth(TREE, rows[0], set()))
    assert np.allclose(forest.base + found.sum(axis=1), forest.plain(rows), atol=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"left": [1, 1, 5, 0, 0, 0, 0]}, {"left": [0, 3, 5, 0, 0, 0, 0]}, {"right": [2, 4, 9, 0, 0, 0, 0]},
        {"count": [100, 60, 0, 20, 40, 10, 30]}, {"value": [0.0] * 6}, {"feature": [7, 1, 0, -1, -1, -1, -1]},
        {"threshold": [float("inf")] * 7}, {"feature": [-1] * 7},
    ],
)  # fmt: skip
def test_damaged_trees_are_refused(wrong: dict[str, Any]) -> None:
    """A tree with a loop, a missing node, another feature or numbers that are none is never gone down."""
    Forest(0.0, [TREE]).check(3)
    with pytest.raises(FhirError, match="damaged"):
        Forest(0.0, [msgspec.structs.replace(TREE, **wrong)]).check(3)


def test_measures_are_those_of_scikit_learn() -> None:
    """AUC, average precision, Brier score and isotonic curve agree with scikit-learn, also with ties."""
    metrics = pytest.importorskip("sklearn.metrics", reason="the extra `learned` is not installed")
    from sklearn.isotonic import IsotonicRegression

    dice = np.random.default_rng(3)
    score = np.round(dice.random(2_000), 2)
    truth = dice.random(2_000) < score
    assert auc(truth, score) == pytest.approx(metrics.roc_auc_score(truth, score))
    assert average_precision(truth, score) == pytest.approx(metrics.average_precision_score(truth, score))
    assert brier(truth, score) == pytest.approx(metrics.brier_score_loss(truth, score))
    assert ece(truth, score) < 0.05 < ece(truth, score**3)
    points, shares = isotonic(score, truth)
    curve = IsotonicRegression().fit_transform(score, truth)
    assert np.abs(np.interp(score, points, shares) - curve).mean() < 0.02
    assert shares[0] > 0 and shares[-1] < 1


def test_intervals_hold_what_they_are_of() -> None:
    """Each measure lies within its interval, which is narrow for many claims; the same each time."""
    dice = np.random.default_rng(4)
    score = dice.random(3_000)
    truth = dice.random(3_000) < score
    found = measured(truth, score)
    assert found == measured(truth, score)
    value, low, high = found["auc"]
    assert low < value < high and high - low < 0.05


def _answer(**change: Any) -> bytes:
    claim = {
        "identifier": [{"value": "A1"}], "created": "2026-05-01",
        "item": [{"net": {"value": 100.0}}, {"net": {"value": 50.0}}],
    }  # fmt: skip
    return orjson.dumps({**response(claim, False), **change})


def _adjusted(group: str, reason: str, amount: float) -> dict[str, Any]:
    return {
        "category": {"coding": [{"system": X12_ADJUSTMENT_GROUPS, "code": group}]},
        "reason": {"coding": [{"system": X12_ADJUSTMENT_REASONS, "code": reason}]}, "amount": {"value": amount},
    }  # fmt: skip


def _line(paid: float, *adjusted: dict[str, Any]) -> dict[str, Any]:
    benefit = {"category": {"coding": [{"code": "benefit"}]}, "amount": {"value": paid}}
    return {"itemSequence": 1, "adjudication": [benefit, *adjusted]}


@pytest.mark.parametrize(
    ("change", "denied"),
    [
        ({}, False),
        ({"disposition": "Denied"}, True),
        ({"item": [_line(0, _adjusted("CO", "16", 100))]}, True),
        ({"item": [_line(0, _adjusted("PR", "204", 100))]}, True),
        ({"item": [_line(0, _adjusted("CO", "45", 40), _adjusted("PR", "1", 60))]}, False),
        ({"item": [_line(0, _adjusted("CO", "45", 100))]}, False),
        ({"item": [_line(0, _adjusted("CO", "45", 40), _adjusted("CO", "97", 60))]}, True),
        ({"item": [_line(40, _adjusted("CO", "16", 60))]}, False),
        ({"item": [_line(60)], "adjudication": [_adjusted("CO", "29", 5)]}, False),
    ],
)
def test_a_denial_is_told_from_shares_and_contracts(change: dict[str, Any], denied: bool) -> None:
    """Nothing paid is a denial unless the patient, another payer or the contract accounts for it."""
    decision = read_decision(_answer(**change))
    assert decision is not None and decision.denied is denied and decision.control == "A1"


@pytest.mark.parametrize(
    "change",
    [
        {"identifier": [{"system": CLAIM_CONTENT, "value": "scrub-1"}]}, {"use": "preauthorization"},
        {"outcome": "queued"}, {"disposition": "Earlier payment reversed"}, {"request": {}}, {"status": "cancelled"},
    ],
)  # fmt: skip
def test_what_decides_nothing_is_not_learned_from(change: dict[str, Any]) -> None:
    """Our own answers, preauthorisations, pending and reversed claims are passed over."""
    assert read_decision(_answer(**change)) is None


def test_damaged_answers_are_refused() -> None:
    """No JSON, another resource and elements of another form are told as such."""
    for body in (b"{", b"[]", b'{"resourceType":"Claim"}', b'{"resourceType":"ClaimResponse","request":[]}'):
        with pytest.raises(FhirError):
            read_decision(body)


def test_the_first_decision_counts() -> None:
    """Of several answers to a claim the earliest is learned from; a number that two claims have is not."""
    ones = [Decision("Claim/a", None, "2026-02-01", False), Decision(None, "A", "2026-01-01", True)]
    names = {"Claim/a": 0, "A": 0, "B": -1}
    assert pair([*ones, Decision(None, "B", "2026-01-01", True)], names) == {0: ones[1]}


def test_few_lines_are_drawn_to_their_family() -> None:
    """A charge is held against its code where that has 10 lines, against code and family where it has fewer."""
    charges = Charges({"many": Norm(50, 5.0, 0.2), "few": Norm(3, 9.0, 0.2), "wide": Norm(500, 5.0, 0.5)}, {})
    cents = float(np.exp(9.0))
    far = charges.of_line(Line(0, 0, cents, ("none", "many", "wide"), None, "x"))
    near = charges.of_line(Line(0, 0, cents, ("none", "few", "wide"), None, "x"))
    assert far is not None and far.direction == "high" and far.lines == 50
    assert near is not None and near.far < far.far and "family" in near.of
    assert charges.of_line(Line(0, 0, cents, ("none", "none", "none"), None, "x")) is None


def test_a_model_comes_back_from_its_file(blind: World, tmp_path: Path) -> None:
    """Written and read it is the same; a changed byte, another kind of file and too new a model are refused."""
    path = tmp_path / "model.json"
    model = blind.trained.model
    write_model(model, path)
    assert read_model(path).digest == model.digest
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"trained":', b'"trainee":', 1))
    with pytest.raises(FhirError, match="hash"):
        read_model(path)
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(FhirError, match="no model"):
        read_model(path)
    write_model(msgspec.structs.replace(model, features=["other"]), path)
    with pytest.raises(FhirError, match="another version"):
        read_model(path)
