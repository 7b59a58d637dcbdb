"""Skew found and undone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
WIDEST = 5.0


def skew(gray: Gray) -> float:
    """Degrees, within 5 either way to 0.1, by which lines of text fall to the right (clockwise)."""
    scale = min(1.0, 1000.0 / max(gray.shape))
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = (255.0 - small.astype(np.float32)) * (small < 160)
    ys, xs = np.nonzero(ink)
    if len(ys) < 200:
        return 0.0
    weights = ink[ys, xs]
    if len(ys) > 60_000:
        step = len(ys) // 60_000 + 1
        ys, xs, weights = ys[::step], xs[::step], weights[::step]

    def sharp(angle: float) -> float:
        rows = ys - xs * np.tan(np.radians(angle))
        bins = np.bincount((rows - rows.min()).astype(np.int64), weights=weights)
        return float(np.square(np.diff(bins)).sum())

    coarse = max(np.arange(-WIDEST, WIDEST + 0.01, 0.5), key=sharp)
    return float(max(np.arange(coarse - 0.5, coarse + 0.51, 0.1), key=sharp))


def turned(gray: Gray, angle: float) -> tuple[Gray, Matrix]:
    """The page turned back by `angle` degrees of skew, on paper white, and the matrix from old to new pixels."""
    height, width = gray.shape
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0), [0, 0, 1]])
    corners = matrix[:2] @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], dtype=np.float64)
    low, high = corners.min(1), corners.max(1)
    matrix = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ matrix
    size = (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1])))
    paper = int(np.percentile(gray[::8, ::8], 80))
    level = cv2.warpPerspective(
        gray, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=(paper,)
    )
    return np.asarray(level, dtype=np.uint8), matrix
