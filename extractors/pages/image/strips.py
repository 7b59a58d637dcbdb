"""Words cut out of a page and set anew on white, some to a line, so that they can be read a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.pages.tokens import Token

Gray = NDArray[np.uint8]
PER_LINE = 6
MARGIN, GAP, LEAD = 30, 1.6, 0.9  # pixels, and shares of the type size between words and between lines


@dataclass(frozen=True, slots=True)
class Strip:
    """The new image and the box of each word in it."""

    gray: Gray
    boxes: list[tuple[int, int, int, int]]


def cut(gray: Gray, tokens: Sequence[Token], free: Sequence[tuple[float, float]], size: int, blur: float) -> Strip:
    """Set the words at a type size of `size` pixels. `free` is the white to the left and right of each, in pixels."""
    pieces = [_piece(gray, token, white, size) for token, white in zip(tokens, free, strict=True)]
    gap, height = int(GAP * size), int((1 + LEAD) * size * 1.2)
    rows = [range(start, min(start + PER_LINE, len(pieces))) for start in range(0, len(pieces), PER_LINE)]
    width = max(sum(pieces[i].shape[1] + gap for i in row) for row in rows) + 2 * MARGIN
    canvas = np.full((len(rows) * height + 2 * MARGIN, width), 255, np.uint8)
    boxes: list[tuple[int, int, int, int]] = []
    for number, row in enumerate(rows):
        x, y = MARGIN, MARGIN + number * height
        for index in row:
            piece = pieces[index]
            canvas[y : y + piece.shape[0], x : x + piece.shape[1]] = piece
            boxes.append((x, y, x + piece.shape[1], y + piece.shape[0]))
            x += piece.shape[1] + gap
    if blur:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), blur), dtype=np.uint8)
    return Strip(canvas, boxes)


def _piece(gray: Gray, token: Token, white: tuple[float, float], size: int) -> Gray:
    """The word at the new size on one baseline with the others, paper made white."""
    height = max(token.height, 4.0)
    reach = 0.3 * height
    x0 = int(max(0, token.x0 - min(reach, white[0])))
    x1 = int(min(gray.shape[1], token.x1 + min(reach, white[1]) + 1))
    y0, y1 = int(max(0, token.y0 - 0.1 * height)), int(min(gray.shape[0], token.y1 + 0.1 * height + 1))
    part = gray[y0:y1, x0:x1]
    if part.size == 0:
        return np.full((size, size), 255, np.uint8)
    by = size * 0.96 / height
    target = (max(2, min(int(part.shape[1] * by), 60 * size)), int(size * 1.2))
    scaled = cv2.resize(part, target, interpolation=cv2.INTER_CUBIC if by > 1 else cv2.INTER_AREA)
    paper = float(np.percentile(scaled, 85))
    return np.clip(scaled.astype(np.float32) * (255.0 / max(paper, 1.0)), 0, 255).astype(np.uint8)
