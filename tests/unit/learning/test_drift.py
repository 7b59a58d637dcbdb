"""Alarms fire on what was planted and stay silent on chance."""

from __future__ import annotations

import pytest

from campaigns.retraining.streams import stream
from server.learning.drift import Limits, look

LIMITS = Limits(documents=40)


@pytest.mark.parametrize(("planted", "of"), [("codes", "category"), ("stricter", "acceptance")])
def test_a_planted_drift_raises_an_alarm(planted: str, of: str) -> None:
    """New codes move the distribution, stricter coders the acceptance: each is told by its name."""
    before, now = stream(160, 1, "none"), stream(120, 2, planted)
    assert of in {one.of for one in look(now, before, LIMITS).alarms}


def test_two_times_alike_raise_none() -> None:
    """On ten undrifted streams nothing fires: documents are shuffled, and all tests share one error."""
    looks = [look(stream(100, seed, "none"), stream(100, seed + 50, "none"), LIMITS) for seed in range(10)]
    assert [one.alarms for one in looks] == [[]] * 10
    assert all(one.enough and len(one.found) > 6 for one in looks)


def test_too_few_documents_say_nothing() -> None:
    """Below the least number of documents there is no alarm, whatever they hold, and that is told."""
    found = look(stream(39, 1, "codes"), stream(200, 2, "none"), LIMITS)
    assert (found.enough, found.found, found.now) == (False, [], 39)


def test_an_overconfident_model_is_told() -> None:
    """Confidence that no longer keeps what it promised is a calibration alarm, also where acceptance is the same."""
    before, now = stream(300, 1, "none"), stream(300, 2, "overconfident")
    assert "calibration" in {one.of for one in look(now, before, LIMITS).alarms}
