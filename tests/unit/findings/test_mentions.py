"""One problem mentioned again: what it takes over, and what ends it; and where each attribute is said."""

from __future__ import annotations

import pytest

from extractors.findings import find


def problems(text: str, document, lexicon):
    """The problems of a text by their words, the last of the same words winning."""
    return {f.text.lower(): f for f in find(document(text), lexicon).items if f.kind == "problem"}


@pytest.mark.parametrize(
    ("text", "over", "stays"),
    [
        ("She had cough and fever last week. It has since resolved.", ["fever"], ["cough"]),
        ("She had cough and fever last week. They resolved.", ["cough", "fever"], []),
        ("Rash noted on Monday. This has cleared up.", ["rash"], []),
        ("There was concern for pneumonia. That was ruled out.", ["pneumonia"], []),
        ("She had a rash. The nurse says it resolved her worry.", [], ["rash"]),
        ("Rash noted.\n\nPLAN\nIt resolved.", [], ["rash"]),
    ],
)
def test_a_pronoun_ends_the_problem_before_it(text: str, over: list[str], stays: list[str], document, lexicon) -> None:
    """ "It resolved" denies the last problem of the sentence before, "they resolved" all of it."""
    found = problems(text, document, lexicon)
    assert [w for w in over if not found[w].assertion.negated] == []
    assert [w for w in stays if found[w].assertion.negated] == []
    for word in over:
        start, end, _ = next(t for t in found[word].assertion.triggers if t[2] == "NEGATED_EXISTENCE")
        assert text[start:end].split()[0].lower() in ("it", "they", "this", "that")


def test_a_later_mention_takes_the_side(document, lexicon) -> None:
    """ "The edema" below is the left-sided edema above, and names the place that says so."""
    text = "Left leg edema since May. No fever.\nThe edema is worse today."
    later = [f for f in find(document(text), lexicon).items if f.text == "edema"][-1]
    assert later.attributes["laterality"] == "left"
    assert text[slice(*later.attributes["spans"]["laterality"])] == "Left"
    assert text[slice(*later.attributes["same"])] == "edema"


def test_an_indefinite_mention_takes_nothing(document, lexicon) -> None:
    """Edema that is not "the" edema is another one."""
    later = [f for f in find(document("Left leg edema. Edema of face."), lexicon).items if f.kind == "problem"][-1]
    assert "same" not in later.attributes and "laterality" not in later.attributes


@pytest.mark.parametrize(
    ("text", "key", "value", "words"),
    [
        ("Severe left knee osteoarthritis", "laterality", "left", "left"),
        ("Severe left knee osteoarthritis", "severity", "severe", "Severe"),
        ("Acute on chronic heart failure", "acuity", "acute on chronic", "Acute on chronic"),
        ("CKD stage 3b", "stage", "3b", "stage 3b"),
        ("Hypertension in the third trimester", "trimester", "third", "third trimester"),
        ("Rash, subsequent encounter", "encounter", "subsequent", "subsequent encounter"),
        ("Edema of right and left legs", "laterality", "bilateral", "right and left"),
    ],
)
def test_attributes_have_their_own_words(text: str, key: str, value: str, words: str, document, lexicon) -> None:
    """Each attribute names the words that say it."""
    attributes = next(f for f in find(document(text), lexicon).items if f.kind == "problem").attributes
    assert attributes[key] == value
    assert text[slice(*attributes["spans"][key])] == words
