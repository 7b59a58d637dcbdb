"""A second look at numbers and doubtful words: cut out, set at another size, read again; two of three decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from extractors.pages.dates import likely_date, plausible_date
from extractors.pages.image.glyphs import Shape, shape
from extractors.pages.image.strips import cut
from extractors.pages.ocr import Engine
from extractors.pages.points import with_points
from extractors.pages.tokens import Token
from extractors.pages.twins import odd_digits

Gray = NDArray[np.uint8]
MOST = 120  # words of a page that are looked at again
SURE, POOR = 90.0, 60.0  # a number read with less, any word read with less
LOOKS = ((44, 0.0), (30, 0.6))  # type size in pixels and blur of the second and third look
CONFIRMED, SETTLED, LONE, SPLIT = 95.0, 85.0, 50.0, 35.0  # confidence by how looks and shape agree
DPI = 300.0
ODDER = 0.06  # by how much a digit must look more like another one
NUMBER = re.compile(r"[<>≤≥=~+#$]?[\[({]?[A-Z]?[\d.,:/%°\-–]*\d[\d.,:/%°\-–]*[A-Za-z]?[\])}]?[.,;:]?")
ODD = re.compile(r"[^A-Za-z'’.,;:()&-]")


def reread(tokens: Sequence[Token], gray: Gray, engine: Engine) -> int:
    """Hold numbers against their shape, read doubtful words again and settle them; answers how many were in doubt."""
    white = _white(tokens)
    shapes: dict[int, Shape] = {}
    fitting: dict[int, Shape] = {}
    doubtful: list[int] = []
    for index, token in enumerate(tokens):
        number = bool(NUMBER.fullmatch(token.text)) and len(token.text) <= 16
        if not number and (token.confidence >= POOR or len(token.text) > 14):
            continue
        shapes[index] = shape(gray, token, white[index])
        fit = with_points(token.text, shapes[index].patterns) if number else None
        if fit is None or token.confidence < SURE or not plausible_date(fit):
            doubtful.append(index)
        if fit is not None:
            fitting[index] = shapes[index]
            if fit != token.text:
                _mend(token, fit, "point", min(token.confidence, SETTLED))
    odd = odd_digits(tokens, fitting, ODDER)
    doubtful = sorted(set(doubtful) | set(odd))[:MOST]
    looks = [_look(tokens, doubtful, white, gray, engine, size, blur) for size, blur in LOOKS] if doubtful else []
    for index in doubtful:
        readings = [look.get(index, ("", 0.0)) for look in looks]
        _settle(tokens[index], readings, shapes[index].patterns, odd.get(index))
    return len(doubtful)


def _mend(token: Token, text: str, rule: str, confidence: float) -> None:
    if text != token.text:
        token.raw, token.repair, token.text = token.raw or token.text, rule, text
    token.confidence = confidence


def _settle(token: Token, readings: list[tuple[str, float]], patterns: Sequence[str], odd: str | None) -> None:
    """Choose among the readings of a word that fit its shape, by their number. `odd`: what its digits look like."""
    (second, sure2), (third, sure3) = readings
    if not NUMBER.fullmatch(token.text) and not (NUMBER.fullmatch(second) or NUMBER.fullmatch(third)):
        if second == third and second and min(sure2, sure3) > token.confidence + 10 and not ODD.search(second):
            _mend(token, second, "reread", min(sure2, sure3, SETTLED))
        return
    strokes = token.text.count("/")  # one that is fused with a digit must not be lost
    whole = [text for text in (second, third) if text.count("/") >= strokes]
    first, *others = (_fit(text, patterns) for text in (token.text, *whole))
    fitting = [text for text in others if text]
    if odd is not None:
        _mend(token, odd if odd in fitting else token.text, "reread", SETTLED if odd in fitting else LONE)
    elif first and first in fitting:
        token.confidence = max(token.confidence, CONFIRMED if fitting.count(first) == 2 else SETTLED)
    elif not first and fitting:
        agreed = len(fitting) == 2 and fitting[0] == fitting[1]
        _mend(token, fitting[0], "reread", SETTLED if agreed else LONE)
    elif not first and (date := likely_date(token.text)):
        _mend(token, date, "date", LONE)
    elif not patterns and token.text in (second, third):
        token.confidence = max(token.confidence, SETTLED)
    else:
        token.confidence = min(token.confidence, LONE if first else SPLIT)


def _fit(text: str, patterns: Sequence[str]) -> str | None:
    fit = with_points(text, patterns) if NUMBER.fullmatch(text) else None
    return fit if fit and plausible_date(fit) else None


def _look(
    tokens: Sequence[Token],
    chosen: Sequence[int],
    free: Sequence[tuple[float, float]],
    gray: Gray,
    engine: Engine,
    size: int,
    blur: float,
) -> dict[int, tuple[str, float]]:
    strip = cut(gray, [tokens[i] for i in chosen], [free[i] for i in chosen], size, blur)
    found: dict[int, list[Token]] = {}
    for token in engine.read_block(strip.gray, DPI):
        x, y = (token.x0 + token.x1) / 2, token.middle
        for index, (x0, y0, x1, y1) in zip(chosen, strip.boxes, strict=True):
            if x0 - 3 <= x <= x1 + 3 and y0 - 3 <= y <= y1 + 3:
                found.setdefault(index, []).append(token)
                break
    read: dict[int, tuple[str, float]] = {}
    for index, parts in found.items():
        parts.sort(key=lambda token: token.x0)
        read[index] = "".join(part.text for part in parts), min(part.confidence for part in parts)
    return read


def _white(tokens: Sequence[Token]) -> list[tuple[float, float]]:
    """The white to the left and right of each word within its line."""
    white = [(1e9, 1e9)] * len(tokens)
    lines: dict[tuple[int, int], list[int]] = {}
    for index, token in enumerate(tokens):
        lines.setdefault((token.block, token.row), []).append(index)
    for line in lines.values():
        line.sort(key=lambda index: tokens[index].x0)
        for left, right in pairwise(line):
            gap = max(0.0, (tokens[right].x0 - tokens[left].x1) * 0.6)
            white[left], white[right] = (white[left][0], gap), (gap, white[right][1])
    return white
