"""A scanned page to words: prepare, read, look again where it went badly, map back to the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from extractors.model import Quad
from extractors.pages.layout import lay_out
from extractors.pages.ocr import engine
from extractors.pages.tokens import Token
from extractors.pages.wire import Grid, Seen

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scan:
    """A page's pixels. `two_tone`: black and white only."""

    gray: Gray
    dpi: float
    two_tone: bool


@dataclass(slots=True)
class Result:
    """What was read."""

    words: list[Seen] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    engine: str = ""
    rotation: int = 0
    steps: list[str] = field(default_factory=list)


def scan(page: Scan, ocr: str) -> Result:
    """Read a page image."""
    reader = engine(ocr)
    tokens = reader.read(page.gray, page.dpi)
    placed = lay_out(tokens)
    height, width = page.gray.shape
    to_upright = np.diag([float(width), float(height), 1.0])
    return Result(to_seen(placed.tokens, placed.lines, placed.gaps, to_upright), placed.grids, reader.name)


def to_seen(tokens: Sequence[Token], lines: Sequence[int], gaps: Sequence[bool], to_upright: Matrix) -> list[Seen]:
    """Words with quads on the page; `to_upright` maps the page, 0–1 each way, to the space of the tokens' boxes."""
    if not tokens:
        return []
    corners = np.array([[t.x0, t.y0, t.x1, t.y0, t.x1, t.y1, t.x0, t.y1] for t in tokens]).reshape(-1, 2)
    back = np.linalg.inv(to_upright)
    points = np.column_stack([corners, np.ones(len(corners))]) @ back.T
    quads = np.clip(points[:, :2] / points[:, 2:], 0.0, 1.0).reshape(-1, 8).round(5)
    return [
        Seen(token.text, token.confidence, _quad(quad), line, gap, token.raw, token.repair)
        for token, quad, line, gap in zip(tokens, quads, lines, gaps, strict=True)
    ]


def _quad(row: NDArray[np.float64]) -> Quad:
    a, b, c, d, e, f, g, h = (float(value) for value in row)
    return a, b, c, d, e, f, g, h
