"""What a disease comes without, and what a list of diseases says behind it; what a past month or year says."""

from __future__ import annotations

import pytest

from extractors.findings.lexicon import Lexicon
from extractors.findings.past import past_years
from extractors.findings.reading import read_text
from extractors.findings.stage import find
from extractors.model import Document

LISTS = [
    ("COPD without acute exacerbation, hypertension and diabetes.", {"COPD", "hypertension", "diabetes"}),
    ("Heart failure w/o angina; CKD.", {"Heart failure", "CKD"}),
    ("COPD without exacerbation, pneumonia or CHF.", {"COPD"}),
    ("COPD without exacerbation, cough, fever.", {"COPD"}),
    ("Comes without exacerbation, pneumonia.", set()),
    ("COPD without fever, pneumonia.", {"COPD"}),
]


@pytest.mark.parametrize(("text", "present"), LISTS)
def test_a_list_of_diseases_goes_on_behind_what_one_comes_without(
    lexicon: Lexicon, text: str, present: set[str]
) -> None:
    """A disease told by a qualifier of ICD-10-CM ends the denial; an "or", complaints and other words do not."""
    items = find(Document(text, "text/plain", "0" * 64), lexicon).items
    assert {i.text for i in items if i.kind == "problem" and not i.assertion.negated} == present


PAST = [
    ("Had COVID in January.", "COVID"),
    ("She had the flu last winter.", "flu"),
    ("Visit 2026. Concussion in a car crash, 2009.", "Concussion"),
    ("Visit 2026. Ovarian cyst removed 2005.", "Ovarian cyst"),
]


@pytest.mark.parametrize(("text", "words"), PAST)
def test_a_month_or_a_year_of_long_ago_puts_in_the_past(text: str, words: str) -> None:
    """A simple past with a month, or what passes within a year with an old year behind it."""
    reading = read_text(text)
    at = text.index(words)
    assert any(a <= at and at + len(words) <= b for a, b, _ in past_years(reading.folded, reading.sentences))


@pytest.mark.parametrize(
    "text", ["Has had a cough in January.", "Visit 2026. Fracture 2025.", "Visit 2026. Asthma, 2009."]
)
def test_what_may_go_on_is_not_put_in_the_past(text: str) -> None:
    """A perfect, the year before, and a disease that stays say nothing of an end."""
    reading = read_text(text)
    assert past_years(reading.folded, reading.sentences) == []
