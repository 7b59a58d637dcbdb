"""JSON in and out: no digit lost, nothing ambiguous let in, every limit an error."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError


@pytest.mark.parametrize(
    "number",
    [
        "72.50",
        "72.5",
        "0.10",
        "1E+2",
        "1E-9",
        "0E-10",
        "-0.0",
        "100",
        "123456789012345678901234567890",
        "0.1000000000001",
    ],
)
def test_a_number_comes_out_as_it_went_in(number: str) -> None:
    """Precision, exponents and size survive."""
    body = f'{{"value":{number}}}'.encode()
    assert json.encode(json.decode(body)) == body


def test_decimals_are_decimals() -> None:
    """A fraction is a Decimal, an integer an int."""
    assert json.decode(b'{"a": 1.50, "b": 2, "c": true}') == {"a": Decimal("1.50"), "b": 2, "c": True}
    assert str(json.decode(b'{"a": 1.50}')["a"]) == "1.50"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b'{"a":1,}', "not valid JSON"),
        (b'{"a":1} x', "not valid JSON"),
        (b'{"a":NaN}', "not valid JSON"),
        (b'{"a":Infinity}', "not valid JSON"),
        (b'{"a":01}', "not valid JSON"),
        (b'{"a":"\n"}', "not valid JSON"),
        (b'\xef\xbb\xbf{"a":1}', "not valid JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":"\\ud800"}', "not valid JSON"),
        (b'{"a":"\\udc00\\ud800"}', "not valid JSON"),
        (b'{"a":' + b"1" * 5000 + b"}", "not valid JSON"),
        (b'{"a":1,"a":2}', "same property twice"),
        (b'{"a":1e5,"b":{"c":[{"d":1,"d":1}]}}', "same property twice"),
        (b'{"a":1,"\\u0061":2}', "same property twice"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "levels deep"),
        (b'{"a":' * 100_000, "levels deep"),
        (b'{"}":' * 2_000 + b"1" + b"}" * 2_000, "levels deep"),
        (b'{"a\\"":' * 200 + b"1" + b"}" * 200, "levels deep"),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, words: str) -> None:
    """Every malformed, ambiguous or too deep body is INCORRECT and says why."""
    with pytest.raises(FhirError, match=words) as caught:
        json.decode(body)
    assert caught.value.category is Category.INCORRECT


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' + b"[" * 99 + b"]" * 99 + b"}",
        b'{"a":"' + b"[" * 500 + b'"}',
        b'{"a":"\\\\","b":"' + b"{" * 500 + b'"}',
        b'{"a":{},"b":{}' + b',"c":[]' * 0 + b"}",
        b'{"a":[' + b"{}," * 500 + b"{}]}",
    ],
)
def test_wide_is_not_deep(body: bytes) -> None:
    """Brackets side by side or inside strings are no depth."""
    json.decode(body)


def test_the_size_limit_is_an_error() -> None:
    """A body over the limit is refused before it is read."""
    with pytest.raises(FhirError, match="limit is 5"):
        json.decode(b'{"a":1}', max_bytes=5)


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.text(), _values, max_size=5))
def test_round_trip(value: dict[str, object]) -> None:
    """Whatever JSON can say comes back equal, and no false duplicate is seen."""
    assert json.decode(json.encode(value)) == value
