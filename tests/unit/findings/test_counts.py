"""Counts of sigs and dictated numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from extractors.findings.counts import COUNT, counted
from extractors.findings.normalise import fold
from extractors.findings.spoken import spoken_number


@pytest.mark.parametrize(
    ("printed", "low", "high"),
    [
        ("Take 1 ", "1", None),
        ("Take ½ ", "0.5", None),
        ("Take 1½ ", "1.5", None),
        ("Take 1 and 1/2 ", "1.5", None),
        ("Take 1-1/2 ", "1.5", None),
        ("Take one-half ", "0.5", None),
        ("Take one and a half ", "1.5", None),
        ("Take three quarters of a ", "0.75", None),
        ("Take ii ", "2", None),
        ("Take 1 (one) ", "1", None),
        ("Take 1-2 ", "1", "2"),
        ("Take 1/2 to 1 ", "0.5", "1"),
        ("Take one (1) to two (2) ", "1", "2"),
    ],
)
def test_counts_have_their_value(printed: str, low: str, high: str | None) -> None:
    """A count before a form is read in figures, words, fractions and Roman numerals, with its range."""
    match = COUNT.search(fold(printed))
    assert match is not None
    assert counted(match) == (Decimal(low), Decimal(high) if high else None)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("one twenty", "120"),
        ("one hundred thirty eight", "138"),
        ("one thirty-eight", "138"),
        ("one oh five", "105"),
        ("one hundred and five", "105"),
        ("ninety eight point six", "98.6"),
        ("one hundred one point four", "101.4"),
        ("eighty", "80"),
        ("five five five five", None),
        ("ninety eight point twelve", None),
    ],
)
def test_dictated_numbers_have_their_value(words: str, value: str | None) -> None:
    """Dictated words are one number, or none."""
    assert spoken_number(words) == (Decimal(value) if value else None)
