"""How values of search parameters are read."""

from __future__ import annotations

import pytest

from fhir_profiles.errors import FhirError
from server.search.query import split_values, unescape
from server.search.values import read_date, read_number, read_quantity, read_token


def test_escaped_separators_do_not_separate() -> None:
    """A backslash makes a comma, a bar and itself part of the value."""
    assert split_values(r"a\,b,c\\,d") == [r"a\,b", r"c\\", "d"]
    assert [unescape(value) for value in split_values(r"a\,b,c\\,d")] == ["a,b", "c\\", "d"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("c", (None, "c")), ("s|c", ("s", "c")), ("|c", ("", "c")), ("s|", ("s", None)), (r"a\|b", (None, "a|b"))],
)
def test_tokens(text: str, expected: tuple[str | None, str | None]) -> None:
    """The four forms of a token, and a bar that belongs to the code."""
    assert read_token(text) == expected


def test_numbers_stand_for_their_precision() -> None:
    """5.4 means 5.35 to 5.45, 100 means 99.5 to 100.5, and a prefix is not part of the number."""
    assert (read_number("5.4").low, read_number("5.4").high) == pytest.approx((5.35, 5.45))
    assert (read_number("100").low, read_number("100").high) == (99.5, 100.5)
    assert (read_number("ge1e2").prefix, read_number("ge1e2").exact) == ("ge", 100.0)
    exact = read_number("176.35499866729558")
    assert exact.low <= exact.exact < exact.high


@pytest.mark.parametrize("text", ["", "x", "NaN", "Infinity", "1e999", "gt"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Words, infinities and bare prefixes are no numbers."""
    with pytest.raises(FhirError):
        read_number(text)


def test_quantities() -> None:
    """A number alone, with a unit, or with system and code; two parts are a mistake."""
    assert read_quantity("lt5.4|urn:u|mg")[1:] == ("urn:u", "mg")
    assert read_quantity("5||mg")[1:] == (None, "mg")
    assert read_quantity("5")[1:] == (None, None)
    with pytest.raises(FhirError):
        read_quantity("5|mg")


def test_dates_are_intervals() -> None:
    """A month is the whole month; the plus of a zone survives a URL that made it a space."""
    month = read_date("ge2020-02")
    assert (month.prefix, (month.high - month.low) / 86_400_000_000) == ("ge", 29)
    assert read_date("2020-01-01T00:00:00 01:00").low == read_date("2020-01-01T00:00:00+01:00").low
    for text in ("", "soon", "2020-13", "2020-02-30", "12:00"):
        with pytest.raises(FhirError):
            read_date(text)
