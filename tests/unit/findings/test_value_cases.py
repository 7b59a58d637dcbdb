"""Vital signs and laboratory values in all the ways they are written."""

from __future__ import annotations

import pytest

from campaigns.measured_values import CASES, wrong

FILES = sorted(CASES.glob("values_*.tsv"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_values_are_found_as_written(path):
    """At least 98 of 100 texts yield exactly their values: codes, comparisons, ranges, and nothing more."""
    lines = path.read_text("utf-8").splitlines()
    failed = wrong(lines)
    assert len(failed) <= 0.02 * len(lines), failed


def test_there_are_enough_cases():
    """The cases are many enough that a share of them means something."""
    assert sum(len(path.read_text("utf-8").splitlines()) for path in FILES) >= 150
