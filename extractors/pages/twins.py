"""Digits held against the other digits of their page: the same digit in the same type looks the same.

Tesseract reads each line by itself and guesses a bent digit from its neighbours; the page's own type tells it apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from extractors.pages.image.glyphs import Shape
from extractors.pages.points import shape_of
from extractors.pages.tokens import Token

LEAST = 2  # examples of a digit elsewhere on the page before it is compared
SURE = 88.0  # confidence of a word whose digits are examples


def odd_digits(tokens: Sequence[Token], shapes: Mapping[int, Shape], margin: float) -> dict[int, str]:
    """The words, by index, with a digit that looks more like another digit of the page; each with that reading."""
    marks: list[tuple[int, int, str]] = []  # word, position in its text, digit
    pictures = []
    for index, form in shapes.items():
        text = tokens[index].text
        places = [at for at, kind in enumerate(shape_of(text)) if kind == "G"]
        if len(places) != len(form.glyphs):
            continue
        for at, picture in zip(places, form.glyphs, strict=True):
            if text[at].isdigit():
                marks.append((index, at, text[at]))
                pictures.append(picture)
    if len(marks) < 10:
        return {}
    return _compare(tokens, marks, np.stack(pictures), margin)


def _compare(
    tokens: Sequence[Token], marks: Sequence[tuple[int, int, str]], pictures: NDArray[np.float32], margin: float
) -> dict[int, str]:
    alike = pictures @ pictures.T
    words = np.array([mark[0] for mark in marks])
    digits = np.array([int(mark[2]) for mark in marks])
    sure = np.array([tokens[mark[0]].confidence >= SURE for mark in marks])
    odd: dict[int, str] = {}
    for row, (index, at, digit) in enumerate(marks):
        usable = sure & (words != index)
        best = [float(alike[row][usable & (digits == d)].max(initial=-1.0)) for d in range(10)]
        own = best[int(digit)]
        if (usable & (digits == int(digit))).sum() < LEAST:
            continue
        other = int(np.argmax(best))
        if best[other] > own + margin:
            text = odd.get(index, tokens[index].text)
            odd[index] = text[:at] + str(other) + text[at + 1 :]
    return odd
