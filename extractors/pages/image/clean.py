"""Paper made even, specks and dropped lines undone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
SPECK = 4  # pixels at 200 dpi: smaller marks on a fax are noise, a full stop has 8
TWO_TONES = 0.005  # share of pixels that may be neither black nor white


def is_two_tone(gray: Gray) -> bool:
    """Whether the page is black and white only, as a fax is."""
    sample = gray[::3, ::3]
    return bool(((sample > 16) & (sample < 239)).mean() < TWO_TONES)


def noise(gray: Gray) -> float:
    """The spread of noise in gray levels: the median response of Immerkaer's kernel in the middle of the page."""
    height, width = gray.shape
    part = gray[height // 8 : -height // 8 : 1, width // 8 : -width // 8]
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = cv2.filter2D(part, cv2.CV_32F, kernel)[::3, ::3]
    return float(np.median(np.abs(response)) / 0.6745 / 6.0)


def background(gray: Gray) -> Gray:
    """The paper without its ink, at full size: dilated and median-filtered at quarter size."""
    small = cv2.resize(gray, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.dilate(small, np.ones((9, 9), np.uint8))
    small = cv2.medianBlur(small, 21)
    return np.asarray(cv2.resize(small, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def unevenness(gray: Gray) -> tuple[float, float]:
    """How far the paper's tone spreads over the page, and its median tone."""
    paper = cv2.resize(background(gray), (32, 32), interpolation=cv2.INTER_AREA)
    low, middle, high = np.percentile(paper, (5, 50, 95))
    return float(high - low), float(middle)


def flatten(gray: Gray) -> Gray:
    """The page divided by its paper: even light, white paper."""
    flat = cv2.divide(gray, np.maximum(background(gray), 1), scale=255)
    ink = float(np.percentile(flat[::4, ::4], 0.5))
    if 20 < ink < 200:  # faded ink: stretch to black
        flat = np.clip((flat.astype(np.float32) - ink) * (255.0 / (255.0 - ink)), 0, 255).astype(np.uint8)
    return np.asarray(flat, dtype=np.uint8)


def mend_lines(gray: Gray) -> Gray:
    """Scan lines that a fax dropped, filled where ink stands above and below."""
    ink = gray < 128
    counts = ink.sum(1)
    dropped = [
        row for row in range(1, len(counts) - 1) if counts[row] == 0 and counts[row - 1] > 8 and counts[row + 1] > 8
    ]
    if not dropped:
        return gray
    mended = gray.copy()
    for row in dropped:
        above, below = gray[row - 1], gray[row + 1]
        wide = cv2.erode(np.minimum(above, below)[None, :], np.ones((1, 1), np.uint8))[0]
        mended[row] = np.where((above < 128) & (below < 128), 0, wide // 2 + 128 * (np.maximum(above, below) > 128))
    return mended


def despeckle(gray: Gray, dpi: float) -> Gray:
    """Marks of a few pixels removed, holes of a pixel filled."""
    least = max(2, round(SPECK * (min(dpi, 300.0) / 200.0) ** 2))
    ink = (gray < 128).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    if count > 1:
        keep = stats[:, cv2.CC_STAT_AREA] >= least
        keep[0] = False
        ink = keep[labels].astype(np.uint8)
    around = cv2.filter2D(
        ink, cv2.CV_8U, np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8), borderType=cv2.BORDER_CONSTANT
    )
    ink |= (around >= 7).astype(np.uint8)
    return np.asarray((1 - ink) * 255, dtype=np.uint8)
