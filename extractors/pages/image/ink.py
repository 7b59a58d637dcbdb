"""Ink that looks like text and that no word explains: how a page whose blocks were lost is told."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.pages.tokens import Token

Gray = NDArray[np.uint8]
LEAST_MARKS = 30  # fewer text-like marks are no text
JOIN = 0.3  # of a word's height: marks that close stand together
LEAST_HIGH, MOST_HIGH = 0.5, 1.3  # of a word's height: marks that are text
MOST_UNREAD = 40
Box = tuple[float, float, float, float]


def unexplained_ink(gray: Gray, tokens: Sequence[Token]) -> float:
    """The share, 0–1, of letter-sized marks that lie in no word's box; 0 on a page without such marks."""
    marks, outside, _ = _marks(gray, tokens)
    return float(outside.mean()) if len(marks) >= LEAST_MARKS else 0.0


def unread(gray: Gray, tokens: Sequence[Token]) -> list[Box]:
    """The boxes of marks that no word explains and that stand together as high as a word's letters; largest first."""
    marks, outside, scale = _marks(gray, tokens)
    if not tokens or not outside.any():
        return []
    height = median(token.height for token in tokens) * scale
    free = np.zeros([int(side * scale) + 2 for side in gray.shape], np.uint8)
    for x, y, wide, high in marks[outside].tolist():
        free[y : y + high, max(0, int(x - JOIN * height)) : int(x + wide + JOIN * height)] = 1
    _, _, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
    found: list[Box] = []
    for x, y, wide, high, _ in stats[1:].tolist():
        if LEAST_HIGH * height <= high <= MOST_HIGH * height:
            found.append(
                ((x + JOIN * height) / scale, y / scale, (x + wide - JOIN * height) / scale, (y + high) / scale)
            )
    return sorted(found, key=lambda box: box[0] - box[2])[:MOST_UNREAD]


def _marks(gray: Gray, tokens: Sequence[Token]) -> tuple[NDArray[np.int32], NDArray[np.bool_], float]:
    """Letter-sized marks (x, y, width, height), which of them lie in no word's box, and the scale they are seen at."""
    scale = min(1.0, 1400.0 / max(gray.shape))
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), 31)
    ink = (small < paper.astype(np.float32) * 0.72).astype(np.uint8)
    _, _, stats, centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    letter = (height >= 6) & (height <= 45) & (width >= 3) & (width <= 90)
    middles = centres[1:][letter].astype(int)
    covered = np.zeros(small.shape, np.uint8)
    for token in tokens:
        pad = 0.15 * token.height
        box = [int(value * scale) for value in (token.x0 - pad, token.y0 - pad, token.x1 + pad, token.y1 + pad)]
        cv2.rectangle(covered, (box[0], box[1]), (box[2], box[3]), 1, -1)
    marks = np.asarray(stats[1:, :4][letter], dtype=np.int32)
    return marks, np.asarray(covered[middles[:, 1], middles[:, 0]] == 0), scale
