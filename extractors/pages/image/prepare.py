"""The steps that pay, chosen by what the page shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.pages.image import clean, level, outline

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
UNEVEN, DARK, NOISY, COARSE, FINE = 28.0, 200.0, 4.0, 150.0, 400.0
LEAST_SKEW = 0.15
LONGEST = 12_000  # pixels; Tesseract takes no side over 32,767


@dataclass(slots=True)
class Prepared:
    """A page ready to be read; `matrix` maps the pixels it came as to its own."""

    gray: Gray
    dpi: float
    matrix: Matrix
    steps: list[str] = field(default_factory=list)


def prepare(gray: Gray, dpi: float, *, outlined: bool = True, flat: bool | None = None) -> Prepared:
    """Clean, straighten, level and scale a page. `outlined`: look for the page in a photograph; `flat`: force light."""
    page = Prepared(gray, dpi, np.eye(3))
    if dpi > FINE or max(gray.shape) > LONGEST:
        _scale(page, min(300.0 / dpi, LONGEST / max(gray.shape)), cv2.INTER_AREA)
    if clean.is_two_tone(page.gray):
        page.gray = clean.despeckle(clean.mend_lines(page.gray), page.dpi)
        page.steps.append("despeckle")
    else:
        _light(page, outlined, flat)
    angle = level.skew(page.gray)
    if abs(angle) >= LEAST_SKEW:
        page.gray, matrix = level.turned(page.gray, angle)
        page.matrix = matrix @ page.matrix
        page.steps.append(f"deskew {angle:+.1f}")
    if page.dpi < COARSE:
        _scale(page, 2.0, cv2.INTER_CUBIC)
    return page


def _light(page: Prepared, outlined: bool, flat: bool | None) -> None:
    spread, tone = clean.unevenness(page.gray)
    if flat if flat is not None else (spread > UNEVEN or tone < DARK):
        corners = outline.page_outline(page.gray) if outlined else None
        if corners is not None:
            page.gray, matrix = outline.straighten(page.gray, corners)
            page.matrix = matrix @ page.matrix
            page.steps.append("dewarp")
        page.gray = clean.flatten(page.gray)
        page.steps.append("flatten")
    if clean.noise(page.gray) > NOISY:
        page.gray = np.asarray(cv2.GaussianBlur(page.gray, (0, 0), 0.8), dtype=np.uint8)
        page.steps.append("blur")


def _scale(page: Prepared, by: float, how: int) -> None:
    page.gray = np.asarray(cv2.resize(page.gray, None, fx=by, fy=by, interpolation=how), dtype=np.uint8)
    page.dpi *= by
    page.matrix = np.diag([by, by, 1.0]) @ page.matrix
    page.steps.append(f"scale {by:.2g}")
