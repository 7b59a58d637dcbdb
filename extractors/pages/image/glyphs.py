"""The shape of a printed number: how many glyphs, and where points and dashes stand between them.

The engine drops decimal points that are plainly there. A point is easy to see by its geometry, so it is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.pages.tokens import Token

Gray = NDArray[np.uint8]
SIZE = 64  # pixels of type size at which glyphs are looked at
LEVELS = (0.5, 0.35, 0.65)  # of the way from paper to ink
GLYPH, POINT, DASH = "G", ".", "-"
CELL = (26, 20)  # rows and columns of a glyph's picture
Picture = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """A word's patterns at some thresholds, such as `GG.G`, the likeliest first, and pictures of the first's glyphs."""

    patterns: tuple[str, ...] = ()
    glyphs: tuple[Picture, ...] = ()


def shape(gray: Gray, token: Token, white: tuple[float, float]) -> Shape:
    """The shape of a word. `white` is the room to its left and right in pixels."""
    height = max(token.height, 4.0)
    x0 = int(max(0, token.x0 - min(0.1 * height, white[0])))
    x1 = int(min(gray.shape[1], token.x1 + min(0.1 * height, white[1]) + 1))
    y0, y1 = int(max(0, token.y0)), int(min(gray.shape[0], token.y1 + 1))
    part = gray[y0:y1, x0:x1]
    if part.size == 0 or part.shape[1] > 25 * height:
        return Shape()
    by = SIZE / height
    large = cv2.resize(part, None, fx=by, fy=by, interpolation=cv2.INTER_CUBIC)
    paper, ink = float(np.percentile(large, 90)), float(np.percentile(large, 3))
    if paper - ink < 40:
        return Shape()
    found = [_groups((large < paper - level * (paper - ink)).astype(np.uint8)) for level in LEVELS]
    patterns = tuple("".join(mark.kind for mark in groups) for groups in found if groups)
    dark = np.clip((paper - large.astype(np.float32)) / (paper - ink), 0.0, 1.0)
    return Shape(patterns, tuple(_picture(dark, mark) for mark in found[0] if mark.kind == GLYPH))


@dataclass(slots=True)
class _Mark:
    kind: str
    x0: int
    x1: int
    y0: int
    y1: int


def _picture(dark: Picture, mark: _Mark) -> Picture:
    """A glyph, as high as its cell, in its middle; at unit length around its mean."""
    rows, columns = CELL
    part = dark[max(0, mark.y0 - 1) : mark.y1 + 1, max(0, mark.x0 - 1) : mark.x1 + 1]
    wide = max(1, min(columns, round(part.shape[1] * rows / part.shape[0])))
    scaled = cv2.resize(part, (wide, rows), interpolation=cv2.INTER_AREA)
    cell = np.zeros((rows, columns), np.float32)
    left = (columns - wide) // 2
    cell[:, left : left + wide] = scaled
    smooth = np.asarray(cv2.GaussianBlur(cell, (0, 0), 0.8), dtype=np.float32)
    smooth -= smooth.mean()
    return np.asarray((smooth / max(float(np.linalg.norm(smooth)), 1e-6)).ravel(), dtype=np.float32)


def _groups(ink: NDArray[np.uint8]) -> list[_Mark]:
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    parts = sorted(stats[1:count].tolist(), key=lambda part: part[0])
    tall = [part for part in parts if part[3] >= 0.4 * SIZE]
    if not tall:
        return []
    foot = float(np.median([part[1] + part[3] for part in tall]))
    digit = float(np.median([part[3] for part in tall]))
    groups: list[_Mark] = []
    for x, y, width, height, area in parts:
        kind = _kind(y, width, height, area, foot, digit)
        if not kind:
            continue
        last = groups[-1] if groups else _Mark("", -SIZE, -SIZE, 0, 0)
        if kind != GLYPH and x + width - last.x0 > 0 and x + width - last.x1 < 0.4 * width and last.kind == GLYPH:
            continue  # within the glyph before: a dotted zero
        shared = min(x + width, last.x1) - max(x, last.x0)
        if kind == GLYPH and last.kind == GLYPH and shared > 0.6 * min(width, last.x1 - last.x0):
            groups[-1] = _Mark(GLYPH, last.x0, max(last.x1, x + width), min(last.y0, y), max(last.y1, y + height))
            continue
        groups.append(_Mark(kind, x, x + width, y, y + height))
    return groups


def _kind(y: float, width: float, height: float, area: float, foot: float, digit: float) -> str:
    if height >= 0.45 * digit:
        return GLYPH
    middle = y + height / 2
    if area < 0.004 * SIZE * SIZE:
        return ""
    if width <= 0.35 * digit and height <= 0.4 * digit and foot - 0.3 * digit < middle < foot + 0.15 * digit:
        return POINT
    if width > height and foot - 0.65 * digit < middle < foot - 0.2 * digit:
        return DASH
    return ""
