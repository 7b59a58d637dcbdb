"""What a second reader is given to read, within which bounds, and what becomes of its readings."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from extractors.pages.escalate import escalate
from extractors.pages.image.ink import unexplained_ink, unread
from extractors.pages.limits import Refused
from extractors.pages.ocr import second_reader
from extractors.pages.tokens import Token

PAPER = np.full((400, 1000), 255, np.uint8)


class Said:
    """A reader that says what it is told, one text a piece, its letters spread over the width."""

    name = "said"

    def __init__(self, texts: Sequence[str], sure: float = 99.0) -> None:
        self.left, self.sure, self.asked = list(texts), sure, 0

    def read_line(self, image: np.ndarray) -> list[Token]:
        self.asked += 1
        text = self.left.pop(0) if self.left else ""
        step = image.shape[1] / max(len(text), 1)
        return [Token(one, self.sure, i * step, 0, (i + 1) * step, 20) for i, one in enumerate(text)]


def word(text: str, x0: float, x1: float, sure: float = 95.0) -> Token:
    """A word of the page's only line, 30 pixels high."""
    return Token(text, sure, x0, 100, x1, 130, 0, 0)


def test_numbers_units_and_doubtful_words_are_read_again() -> None:
    """Sure words without a figure are not; the unit of a dose is."""
    tokens = [word("metformin", 0, 150), word("500", 160, 210), word("mg", 220, 250), word("daily", 260, 330, 60.0)]
    made = escalate(tokens, PAPER, Said(["500mgdaily"]), 10, 5.0)
    assert [token.other is not None for token in made] == [False, True, True, True]
    assert escalate([word("ll", 0, 30), word("in", 300, 330)], PAPER, Said(["11"]), 10, 5.0)[0].other == "11"


def test_the_least_sure_are_read_when_not_all_can_be() -> None:
    """The bound on pieces leaves out what the first reader was surest of."""
    tokens = [word("12", 0, 40), word("13", 300, 340, 50.0), word("14", 600, 640)]
    reader = Said(["13"])
    assert [token.other for token in escalate(tokens, PAPER, reader, 1, 5.0)] == [None, "13", None]
    assert reader.asked == 1
    assert escalate([word("12", 0, 40)], PAPER, reader, 10, -1.0)[0].other is None


def test_pieces_of_a_word_are_joined_and_kept() -> None:
    """Where the second reader surely saw one word, doubtful pieces become it; sure words stay apart."""
    made = escalate([word("hs", 100, 130, 20.0), word("Wy", 132, 160, 10.0)], PAPER, Said(["11.7"]), 10, 5.0)
    assert [(token.text, token.other, token.confidence) for token in made] == [("11.7", "hs Wy", 50.0)]
    made = escalate([word("10", 100, 130), word("mg", 140, 170)], PAPER, Said(["10mg"]), 10, 5.0)
    assert [token.text for token in made] == ["10", "mg"]


def page(*skipped: str) -> tuple[np.ndarray, list[Token]]:
    """Rows of numbers, and the words that were read: all but `skipped`."""
    gray, tokens = np.full((1400, 1000), 255, np.uint8), []
    for row in range(10):
        for column in range(6):
            text, x, y = f"{row}4{column}", 60 + 150 * column, 100 + 120 * row
            cv2.putText(gray, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, 1.0, 0, 2, cv2.LINE_AA)
            if text not in skipped:
                tokens.append(Token(text, 95.0, x, y - 26, x + 64, y + 6, row, 0))
    return gray, tokens


def test_ink_that_no_word_explains_is_found() -> None:
    """The share rises with what was passed over, and its place is told."""
    gray, tokens = page("343", "443")
    assert unexplained_ink(*page()) == 0.0
    assert 0.02 < unexplained_ink(gray, tokens) < 0.06
    assert unexplained_ink(gray, tokens[:30]) > 0.30
    (x0, y0, x1, y1), *others = sorted(unread(gray, tokens), key=lambda box: box[1])
    assert len(others) == 1
    assert abs(x0 - 510) < 12 and abs(x1 - 574) < 16 and 430 < y0 < y1 < 470


def test_a_word_that_was_passed_over_is_added_as_doubtful() -> None:
    """The second reader's word stands in its place, with little confidence; one it is unsure of is not added."""
    gray, tokens = page("343")
    reader = Said([""] * 59 + ["343"])
    added = escalate(tokens, gray, reader, 100, 20.0)[59:]
    assert [(token.text, token.confidence, token.repair) for token in added] == [("343", 50.0, "second-reader")]
    assert escalate(tokens, gray, Said([""] * 59 + ["343"], 40.0), 100, 20.0)[59:] == []


def test_a_reader_that_is_not_there_is_refused() -> None:
    """An unknown or missing second reader is an error that says what to install; `off` is none."""
    assert second_reader("off") is None
    with pytest.raises(Refused, match="extra `ocr`"):
        second_reader("nobody")


def test_the_recogniser_reads_a_line_from_its_wheel() -> None:
    """Letters with their places and confidence, without a download."""
    pytest.importorskip("onnxruntime", reason="the extra `ocr` is not installed")
    pytest.importorskip("rapidocr", reason="the extra `ocr` is not installed")
    reader = second_reader("rapidocr")
    assert reader is not None
    line = np.full((48, 420), 255, np.uint8)
    cv2.putText(line, "Dose 12.5 mg", (10, 34), cv2.FONT_HERSHEY_DUPLEX, 1.0, 0, 2, cv2.LINE_AA)
    letters = reader.read_line(line)
    assert "".join(letter.text for letter in letters) == "Dose 12.5 mg"
    assert [letter.x0 for letter in letters] == sorted(letter.x0 for letter in letters)
    assert min(letter.confidence for letter in letters) > 60
