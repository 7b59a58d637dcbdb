"""Past years: what was treated then is history now."""

import pytest

from extractors.findings.stage import assert_spans
from extractors.model import Document


@pytest.mark.parametrize(
    ("text", "word", "past"),
    [
        ("Treated for pneumonia in 2019.", "pneumonia", True),
        ("Hospitalized for cellulitis in March 2020, seen 2026-01-04.", "cellulitis", True),
        ("Treated for pneumonia in January 2026, last seen 2025.", "pneumonia", False),
        ("Pneumonia in 2026.", "Pneumonia", False),
    ],
)
def test_a_past_year_makes_history_of_what_was_done_then(text: str, word: str, past: bool) -> None:
    """A past-tense verb and a year before the document's newest; neither alone."""
    start = text.index(word)
    (said,) = assert_spans(Document(text, "text/plain", ""), [(start, start + len(word))])
    assert said.historical is past


def test_a_possibility_ends_at_with() -> None:
    """ "Possible pneumonia with fever": the fever is there."""
    text = "Possible pneumonia with fever."
    pneumonia, fever = assert_spans(Document(text, "text/plain", ""), [(9, 18), (24, 29)])
    assert pneumonia.possible and fever.present
