"""Two readings of a word: agreement makes it sure, disagreement keeps both and makes it doubtful."""

import pytest

from extractors.findings.plausible import Ink
from extractors.pages import wire
from extractors.pages.assemble import assemble
from extractors.pages.wire import Seen

QUAD = (0.1, 0.1, 0.2, 0.1, 0.2, 0.2, 0.1, 0.2)
CODES = {"I10": "Essential (primary) hypertension"}


def word(text: str, sure: float, other: str | None, other_sure: float = 99.0) -> Seen:
    """A word of one line that two readers read."""
    return Seen(text, sure, QUAD, 0, False, None, None, other, other_sure)


def judged(*words: Seen) -> tuple[list[tuple[str, float, str | None]], list[str | None]]:
    """The words of a page after the verdict, and why each is doubtful."""
    page = wire.PageRead(1, 612.0, 792.0, "ocr", list(words))
    document = assemble([page], "image/png", "", lexicon=CODES.get)
    ink = Ink(document)
    made = document.pages[0].words
    return [(w.text, w.confidence, w.other) for w in made], [ink.doubt((w.start, w.end)) for w in made]


@pytest.mark.parametrize("other", ["4.9", "4.9."])
def test_what_two_readers_read_alike_is_sure(other: str) -> None:
    """Agreement lifts a number that the first reader was unsure of, whatever mark ends it."""
    assert judged(word("4.9", 50.0, other)) == ([("4.9", 97.0, None)], [None])


def test_agreement_is_no_surer_than_the_second_reading() -> None:
    """A reader that guessed the same confirms little."""
    assert judged(word("4.9", 50.0, "4.9", 30.0))[0] == [("4.9", 50.0, None)]


def test_a_surer_reading_stands_in_the_text_and_is_doubtful() -> None:
    """The number that is taken shows the one that was not."""
    words, doubts = judged(word("76-99", 50.0, "70-99"))
    assert words == [("70-99", 50.0, "76-99")]
    assert doubts == ["two readers differ: 70-99 or 76-99"]


def test_a_sure_first_reading_stays_and_is_doubtful() -> None:
    """A number that only the first reader was sure of keeps its place, with the other beside it."""
    words, doubts = judged(word("48", 96.0, "43", 80.0))
    assert words == [("48", 50.0, "43")]
    assert doubts == ["two readers differ: 48 or 43"]


def test_a_number_that_the_second_reader_does_not_see_is_doubtful() -> None:
    """No reading is a reading that differs."""
    assert judged(word("3", 95.0, "", 0.0))[1] == ["two readers differ: 3 or nothing"]


def test_a_reading_that_lost_a_letter_is_not_taken() -> None:
    """What is cut out too narrowly does not replace what was whole."""
    assert judged(word("45%", 35.0, "5%"))[0] == [("45%", 35.0, "5%")]


@pytest.mark.parametrize(("text", "other"), [("SpO2", "Sp02"), ("HbA1c", "HbA1C"), ("I10", "110"), ("-", "")])
def test_letters_that_print_alike_are_no_disagreement(text: str, other: str) -> None:
    """A capital, a zero for an O and a one for an I in a code say nothing against a reading."""
    assert judged(word(text, 90.0, other)) == ([(text, 90.0, None)], [None])


@pytest.mark.parametrize(("text", "other"), [("10", "1O"), ("1.3", "l.8"), ("mcg", "mg"), ("ll", "11")])
def test_a_number_or_a_unit_is_not_forgiven(text: str, other: str) -> None:
    """Figures, and the letters of a unit, must be the same."""
    assert judged(word(text, 90.0, other, 60.0))[0] == [(text, 50.0, other)]


def test_a_repaired_code_that_the_second_reader_read_is_sure() -> None:
    """What the words beside a code say and another reader read needs no person."""
    words, _ = judged(word("110", 96.0, "I10", 98.0), word("Essential", 95.0, None), word("hypertension", 95.0, None))
    assert words[0] == ("I10", 97.0, None)
