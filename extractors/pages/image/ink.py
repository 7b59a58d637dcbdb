"""Ink that looks like text and that no word explains: how a page whose blocks were lost is told."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.pages.tokens import Token

Gray = NDArray[np.uint8]
LEAST_MARKS = 30  # fewer text-like marks are no text


def unexplained_ink(gray: Gray, tokens: Sequence[Token]) -> float:
    """The share, 0–1, of letter-sized marks that lie in no word's box; 0 on a page without such marks."""
    scale = min(1.0, 1400.0 / max(gray.shape))
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), 31)
    ink = (small < paper.astype(np.float32) * 0.72).astype(np.uint8)
    count, _, stats, centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    if count < LEAST_MARKS:
        return 0.0
    width, height = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    letter = (height >= 6) & (height <= 45) & (width >= 3) & (width <= 90)
    marks = centres[1:][letter]
    if len(marks) < LEAST_MARKS:
        return 0.0
    covered = np.zeros(small.shape, np.uint8)
    for token in tokens:
        pad = 0.15 * token.height
        box = [int(value * scale) for value in (token.x0 - pad, token.y0 - pad, token.x1 + pad, token.y1 + pad)]
        cv2.rectangle(covered, (box[0], box[1]), (box[2], box[3]), 1, -1)
    inside = covered[marks[:, 1].astype(int), marks[:, 0].astype(int)]
    return float(1.0 - inside.mean())
