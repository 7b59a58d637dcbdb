"""The CPU time that a call may take."""

from __future__ import annotations

import pytest

from terminology.effort import BETWEEN_LOOKS, SpentError, step, within


def test_work_without_a_bound_goes_on() -> None:
    """Outside of a call that is bounded, steps cost nothing and refuse nothing."""
    for _ in range(BETWEEN_LOOKS * 3):
        step()


def test_work_beyond_its_time_is_refused_as_too_costly() -> None:
    """Steps that never end are ended, and the bound is gone afterwards."""
    with pytest.raises(SpentError) as error, within(0.01):
        while True:
            step()
    assert error.value.problems[0].code == "too-costly"
    step(BETWEEN_LOOKS * 10)


def test_a_bound_within_another_ends_with_its_block() -> None:
    """The outer bound holds again after an inner one."""
    with within(60.0):
        with pytest.raises(SpentError), within(0.0):
            while True:
                step(BETWEEN_LOOKS)
        step(BETWEEN_LOOKS * 10)
