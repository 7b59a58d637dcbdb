"""Reading the pairs of a query against the standard library's own reading."""

from __future__ import annotations

import random
from urllib.parse import parse_qsl

import pytest

from fhir_profiles.errors import FhirError
from server.http.body import MAX_PAIRS, read_pairs

PIECES = ("a", "%", "%41", "+", "&", "=", "%C3%A9", "%FF", "%00", ";", "%2", "http://x", "?", "#", "é")


def test_pairs_are_read_as_the_standard_library_reads_them() -> None:
    """Any mixture of names, values, marks and escapes gives the same pairs, or the same refusal."""
    dice = random.Random(2)
    for _ in range(20_000):
        text = "".join(dice.choices(PIECES, k=dice.randrange(9))).encode()
        try:
            expected = tuple(parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict"))
        except UnicodeDecodeError:
            with pytest.raises(FhirError) as error:
                read_pairs(text)
            assert error.value.problems[0].code == "structure"
        else:
            assert read_pairs(text) == expected


def test_too_many_pairs_are_refused() -> None:
    """A query of more pairs than the limit is refused, one of as many is read."""
    assert len(read_pairs(b"&".join([b"a=1"] * MAX_PAIRS))) == MAX_PAIRS
    with pytest.raises(FhirError) as error:
        read_pairs(b"&".join([b"a=1"] * (MAX_PAIRS + 1)))
    assert error.value.problems[0].code == "too-costly"
