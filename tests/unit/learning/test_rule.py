"""The rule promotes what is better and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.learn import Row
from server.learning.card import LIMITS, card, page
from server.learning.comparing import Answers, Subject, compared
from server.learning.dataset import Frozen
from server.learning.rule import judge, reasons
from server.learning.shadow import counted
from server.settings import Settings
from tests.support.learning import BETTER


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The rule as it ships."""
    return Settings(data=tmp_path, open=True)


def test_what_is_better_everywhere_is_promoted(settings: Settings) -> None:
    """All conditions hold, and each says what was found."""
    judged = judge(BETTER, settings)
    assert all(one.holds for one in judged)
    assert "better: yes (F1 +0.1000, 95 % from +0.0500 to +0.2000)" in reasons(judged)


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        (("held_back", "documents"), 39, "enough to measure with"),
        (("held_back", "gain", "low"), -0.001, "better"),
        (("held_back", "gain", "f1"), 0.0015, "better"),
        (("held_back", "challenger", "calibration_error"), 0.12, "calibration no worse"),
        (("held_back", "groups", "sex", "female", "gain", "f1"), -0.03, "no worse for sex female"),
        (("regression", "gain", "f1"), -0.02, "no worse on the fixed documents"),
        (("times_slower",), 1.6, "not slower"),
    ],
)
def test_each_condition_can_refuse(path: tuple[str, ...], value: float, name: str, settings: Settings) -> None:
    """One thing worse than the settings allow, and that condition alone fails."""
    report: dict[str, Any] = json.loads(json.dumps(BETTER))
    place = report
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert [one.name for one in judge(report, settings) if not one.holds] == [name]


def test_a_gain_by_chance_has_an_interval_around_zero() -> None:
    """The bootstrap draws patients: two models that differ by noise alone do not part; a better one does."""
    chance = np.random.default_rng(1)
    subjects = [Subject(Row(str(n), "", "", frozenset()), f"p{n // 2}", {"age": "a", "sex": "s"}) for n in range(80)]

    def side(right: float) -> Answers:
        asked = np.full(80, 4.0)
        hits = chance.binomial(4, right, 80).astype(float)
        return Answers(np.stack([hits, asked, asked], 1), np.array([0.5]), np.array([1.0]))

    pairs = [compared(side(0.6), side(0.6), subjects)["gain"] for _ in range(20)]
    more = compared(side(0.6), side(0.8), subjects)
    assert sum(not one["low"] <= 0 <= one["high"] for one in pairs) <= 4  # one in twenty, as 95 % promises
    assert 0 < more["gain"]["low"] <= more["gain"]["f1"] <= more["gain"]["high"]
    assert more["groups"]["sex"]["s"]["documents"] == 80


def test_the_card_tells_all_and_names_nobody(settings: Settings) -> None:
    """Data, figures, groups, verdict, limits, sources and hashes stand on the page."""
    told = card("v1", Frozen("", []), BETTER, judge(BETTER, settings), {"learned_model.json": "ab" * 32}, "CC BY 4.0")
    text = page(told, 0)
    words = ("# Model v1", "| sex female | 50 |", "Better.", LIMITS[0], "CC BY 4.0", "ab" * 32, "learn export")
    for word in words:
        assert word in text


def test_the_shadow_counts_differences_and_no_codes() -> None:
    """What both accept, and champion → challenger for each code; no code stands among the measures."""
    from extractors.model import Code
    from fhir_profiles.systems import ICD10CM

    def code(name: str, status: Any) -> Code:
        return Code(ICD10CM, name, "", 0, 1, 0.5, status, "", 0)

    before = [code("I10", "accepted"), code("E11.9", "suggested"), code("J45.909", "rejected")]
    after = [code("I10", "accepted"), code("E11.9", "accepted")]
    assert counted(before, after) == {
        "accepted by both": 1, "accepted by either": 2, "accepted → accepted": 1, "differs in Endocrine, metabolic": 1,
        "documents": 1, "documents alike": 0, "suggested → accepted": 1,
    }  # fmt: skip
    assert counted((), ())["documents alike"] == 1
