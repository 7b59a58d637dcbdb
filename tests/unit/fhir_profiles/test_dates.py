"""Dates as intervals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.dates import DAY, SECOND, interval, microseconds
from fhir_profiles.primitives import PREDICATES


@pytest.mark.parametrize(
    ("text", "low", "width"),
    [
        ("1970", 0, 365 * DAY),
        ("2024", 19723 * DAY, 366 * DAY),
        ("1970-02", 31 * DAY, 28 * DAY),
        ("1970-01-02", DAY, DAY),
        ("9999-12-31", 2932896 * DAY, DAY),
        ("0001-01-01", -719162 * DAY, DAY),
        ("1970-01-01T00:01Z", 60 * SECOND, 60 * SECOND),
        ("1970-01-01T00:00:01", SECOND, SECOND),
        ("1970-01-01T00:00:00.25Z", SECOND // 4, 10_000),
        ("1970-01-01T00:00:00.1234567Z", 123_456, 1),
        ("1970-01-01T02:00:00+02:00", 0, SECOND),
        ("1969-12-31T19:00:00-05:00", 0, SECOND),
    ],
)
def test_an_interval_is_as_wide_as_it_is_written(text: str, low: int, width: int) -> None:
    """Low is the first microsecond, high the first that is past it."""
    assert interval(text) == (low, low + width)


@pytest.mark.parametrize(
    "text", ["", "24", "2024-1", "2023-02-29", "2024-01-01T25:00:00Z", "2024-01-01 10:00", "a" * 10]
)
def test_what_is_no_date_raises(text: str) -> None:
    """A search value that is no date is a ValueError."""
    with pytest.raises(ValueError):
        interval(text)


zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=zones))
def test_any_moment_agrees_with_the_standard_library(moment: datetime) -> None:
    """A full dateTime is valid and starts at the microsecond that datetime computes."""
    text = moment.isoformat(timespec="microseconds")
    assert PREDICATES["instant"](text)
    assert interval(text) == (microseconds(moment), microseconds(moment) + 1)
    assert microseconds(datetime(1970, 1, 1, tzinfo=UTC)) == 0
