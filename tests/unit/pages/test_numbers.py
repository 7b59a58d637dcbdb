"""Numbers are held against their shape on the page."""

import cv2
import numpy as np
import pytest

from extractors.pages.dates import likely_date, plausible_date
from extractors.pages.image.glyphs import shape
from extractors.pages.points import with_points
from extractors.pages.tokens import Token


def printed(text: str) -> tuple[np.ndarray, Token]:
    """A number on white paper and the word as it would be read."""
    page = np.full((80, 400), 255, np.uint8)
    cv2.putText(page, text, (20, 55), cv2.FONT_HERSHEY_DUPLEX, 1.2, 0, 2, cv2.LINE_AA)
    columns = np.nonzero((page < 128).any(0))[0]
    return page, Token(text, 90.0, int(columns[0]), 24, int(columns[-1]) + 1, 64)


@pytest.mark.parametrize(("stands", "read"), [("4.9", "49"), ("124.2", "1242"), ("3.5-5.1", "35-51")])
def test_a_lost_point_is_seen(stands: str, read: str) -> None:
    """A decimal point that is printed and was not read is put back."""
    page, token = printed(stands)
    assert with_points(read, shape(page, token, (9, 9)).patterns) == stands


@pytest.mark.parametrize("stands", ["49", "302", "99213", "136-145", "4.9"])
def test_no_point_is_invented(stands: str) -> None:
    """A number that is read as it is printed stays."""
    page, token = printed(stands)
    assert with_points(stands, shape(page, token, (9, 9)).patterns) == stands


def test_a_digit_too_many_does_not_fit() -> None:
    """A reading with another number of digits than the page shows is told."""
    page, token = printed("7.1")
    assert with_points("7.41", shape(page, token, (9, 9)).patterns) is None


def test_dates_that_cannot_be() -> None:
    """A date that no calendar has is told, and put right where one digit does it."""
    assert plausible_date("17/12/2020")
    assert plausible_date("12/17/2020")
    assert not plausible_date("47/12/2020")
    assert likely_date("47/12/2020") == "17/12/2020"
    assert likely_date("17/12/2020") is None
