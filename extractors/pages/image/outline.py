"""The page within a photograph: four border lines that agree, or nothing."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]
WORK = 700.0
LEAST_AREA = 0.55  # of the photograph; a smaller "page" is a box on a page
STRAY = 4.0  # pixels at work size that a border point may lie off its line


def page_outline(gray: Gray) -> Points | None:
    """Corners of the page, clockwise from top left, in pixels; None unless all four borders are sure.

    Content must not be lost: outside the outline nothing but desk may lie, so it is checked to hold no ink-like detail.
    """
    scale = WORK / max(gray.shape)
    small: Gray = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    smooth = cv2.GaussianBlur(small, (0, 0), 1.5).astype(np.float32)
    lines = [_border(smooth, side) for side in range(4)]
    if any(line is None for line in lines):
        return None
    top, right, bottom, left = (line for line in lines if line is not None)
    corners = np.array([_meet(top, left), _meet(top, right), _meet(bottom, right), _meet(bottom, left)])
    if not _plausible(corners, small):
        return None
    return corners / scale


def _border(smooth: NDArray[np.float32], side: int) -> Points | None:
    """A line ax + by = c by the outermost strong dark-to-light step seen from a side; None when points do not agree."""
    turned = np.rot90(smooth, side)  # the side looked at is now the top
    height, width = turned.shape
    reach = int(height * 0.25)
    step = turned[4:reach] - turned[: reach - 4]
    columns = np.arange(int(width * 0.12), int(width * 0.88), 4)
    part = step[:, columns]
    strong = part > np.maximum(25.0, 0.5 * part.max(0))
    found = strong.any(0)
    if found.mean() < 0.8:
        return None
    first = strong.argmax(0)
    peak = np.array([f + int(np.argmax(part[f : f + 8, i])) for i, f in enumerate(first)])
    xs, ys = columns[found].astype(np.float64), (peak + 2)[found].astype(np.float64)
    for _ in range(4):
        slope, offset = np.polyfit(xs, ys, 1)
        off = np.abs(ys - slope * xs - offset)
        keep = off <= max(1.5, 1.5 * float(np.median(off)) + 0.5)
        if keep.all():
            break
        xs, ys = xs[keep], ys[keep]
    if len(xs) < 0.6 * len(columns) or abs(slope) > 0.15 or off.max() > STRAY:
        return None
    ends = np.array([[0.0, offset], [width - 1.0, slope * (width - 1) + offset]])
    return _unturn(ends, side, smooth.shape)


def _unturn(points: Points, side: int, shape: tuple[int, ...]) -> Points:
    height, width = shape
    x, y = points[:, 0], points[:, 1]
    if side == 1:
        x, y = width - 1 - y, x.copy()
    elif side == 2:
        x, y = width - 1 - x, height - 1 - y
    elif side == 3:
        x, y = y.copy(), height - 1 - x
    return np.column_stack([x, y])


def _meet(one: Points, two: Points) -> Points:
    (x1, y1), (x2, y2) = one
    (x3, y3), (x4, y4) = two
    matrix = np.array([[x2 - x1, x3 - x4], [y2 - y1, y3 - y4]])
    t, _ = np.linalg.solve(matrix, np.array([x3 - x1, y3 - y1]))
    return np.array([x1 + t * (x2 - x1), y1 + t * (y2 - y1)])


def _plausible(corners: Points, small: Gray) -> bool:
    height, width = small.shape
    area = cv2.contourArea(corners.astype(np.float32)) / (height * width)
    if area < LEAST_AREA or corners.min() < -0.02 * max(height, width):
        return False
    if (corners[:, 0] > width * 1.02).any() or (corners[:, 1] > height * 1.02).any():
        return False
    inside = np.zeros_like(small)
    cv2.fillConvexPoly(inside, corners.astype(np.int32), (255,))
    inner = cv2.erode(inside, np.ones((9, 9), np.uint8))
    outer = cv2.bitwise_not(cv2.dilate(inside, np.ones((9, 9), np.uint8)))
    if (outer > 0).sum() < 50:
        return True
    desk, paper = small[outer > 0], small[inner > 0]
    return float(np.median(desk)) < float(np.percentile(paper, 60)) - 15 and float(np.std(desk)) < 45


def straighten(gray: Gray, corners: Points) -> tuple[Gray, NDArray[np.float64]]:
    """The page pulled straight, and the matrix from old to new pixels."""
    width = int(max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[3])))
    height = int(max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1])))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(gray, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, dtype=np.uint8), np.asarray(matrix, dtype=np.float64)
