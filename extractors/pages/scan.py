"""A scanned page to words: prepare, read, look again where it went badly, map back to the page."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from extractors.model import Quad
from extractors.pages.escalate import escalate
from extractors.pages.image.boxes import fit_boxes
from extractors.pages.image.ink import unexplained_ink
from extractors.pages.image.prepare import Prepared, prepare
from extractors.pages.layout import lay_out
from extractors.pages.ocr import Engine, Readers, engine, second_reader
from extractors.pages.reread import reread
from extractors.pages.tokens import Token
from extractors.pages.wire import Grid, Seen

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
UNEXPLAINED, UNSURE = (
    0.30,
    65.0,
)  # share of text-like ink outside all words, mean confidence: past these, try another way
TURN_SURE = 1.5
DIRT = 45.0
PATIENCE = 3.0  # seconds: a page that took longer is not tried another way


@dataclass(frozen=True, slots=True)
class Scan:
    """A page's pixels."""

    gray: Gray
    dpi: float


@dataclass(slots=True)
class Result:
    """What was read."""

    words: list[Seen] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    engine: str = ""
    rotation: int = 0
    steps: list[str] = field(default_factory=list)


def scan(page: Scan, readers: Readers) -> Result:
    """Read a page image: once, and again another way when the reading leaves ink unexplained or is unsure of itself."""
    reader, second = engine(readers.first), second_reader(readers.second)
    start = time.process_time()
    best = _attempt(prepare(page.gray, page.dpi), reader)
    if best.poor and time.process_time() - start < PATIENCE:
        for other in _others(page, best, reader):
            if other.worth > best.worth:
                best = other
            if not best.poor:
                break
    fit_boxes(best.tokens)
    if best.tokens:
        reread(best.tokens, best.page.gray, reader)
        if second is not None:
            best.tokens = escalate(best.tokens, best.page.gray, second, readers.pieces, readers.seconds)
            best.page.steps.append("second reader")
    name = reader.name if second is None else f"{reader.name}, {second.name}"
    placed = lay_out(best.tokens)
    height, width = page.gray.shape
    to_upright = best.page.matrix @ np.diag([float(width), float(height), 1.0])
    words = to_seen(placed.tokens, placed.lines, placed.gaps, to_upright)
    return Result(words, placed.grids, name, best.turn, best.page.steps)


@dataclass(slots=True)
class _Attempt:
    """One reading. `poor` when it should be tried another way; `worth` ranks attempts."""

    page: Prepared
    tokens: list[Token]
    unexplained: float
    turn: int = 0

    @property
    def mean(self) -> float:
        return sum(token.confidence for token in self.tokens) / len(self.tokens) if self.tokens else 0.0

    @property
    def poor(self) -> bool:
        return self.unexplained > UNEXPLAINED or self.mean < UNSURE

    @property
    def worth(self) -> float:
        return sum(len(token.text) * max(0.0, token.confidence - 40.0) for token in self.tokens)


def _attempt(ready: Prepared, reader: Engine, turn: int = 0) -> _Attempt:
    tokens = [token for token in reader.read(ready.gray, ready.dpi) if not _is_dirt(token)]
    return _Attempt(ready, tokens, unexplained_ink(ready.gray, tokens), turn)


def _others(page: Scan, first: _Attempt, reader: Engine) -> Iterator[_Attempt]:
    """Other ways: turned as the orientation says, other light, the whole photograph instead of its outline."""
    if first.unexplained < 0.02 and not first.tokens:  # a blank page
        return
    turn, sure = reader.turn(first.page.gray, first.page.dpi)
    if turn and sure > TURN_SURE:
        turned = Scan(np.ascontiguousarray(np.rot90(page.gray, -turn // 90)), page.dpi)
        ready = prepare(turned.gray, turned.dpi)
        ready.matrix = ready.matrix @ _turning(turn, page.gray.shape)
        ready.steps.insert(0, f"turn {turn}")
        attempt = _attempt(ready, reader, turn)
        yield attempt
        if not attempt.poor or attempt.worth > first.worth * 1.5:
            return
    if "despeckle" not in first.page.steps:
        yield _attempt(prepare(page.gray, page.dpi, outlined=False, flat="flatten" not in first.page.steps), reader)
    if "dewarp" in first.page.steps:
        yield _attempt(prepare(page.gray, page.dpi, outlined=False, flat=True), reader)


def _turning(turn: int, shape: tuple[int, ...]) -> Matrix:
    """The matrix from a page's pixels to those of the page turned clockwise."""
    height, width = shape
    return {
        90: np.array([[0.0, -1, height], [1, 0, 0], [0, 0, 1]]),
        180: np.array([[-1.0, 0, width], [0, -1, height], [0, 0, 1]]),
        270: np.array([[0.0, 1, 0], [-1, 0, width], [0, 0, 1]]),
    }[turn]


def _is_dirt(token: Token) -> bool:
    """Marks read as words: rulings and specks."""
    return token.confidence < DIRT and not any(char.isalnum() for char in token.text)


def to_seen(tokens: Sequence[Token], lines: Sequence[int], gaps: Sequence[bool], to_upright: Matrix) -> list[Seen]:
    """Words with quads on the page; `to_upright` maps the page, 0–1 each way, to the space of the tokens' boxes."""
    if not tokens:
        return []
    corners = np.array([[t.x0, t.y0, t.x1, t.y0, t.x1, t.y1, t.x0, t.y1] for t in tokens]).reshape(-1, 2)
    back = np.linalg.inv(to_upright)
    points = np.column_stack([corners, np.ones(len(corners))]) @ back.T
    quads = np.clip(points[:, :2] / points[:, 2:], 0.0, 1.0).reshape(-1, 8).round(5)
    return [
        Seen(
            token.text, token.confidence, _quad(quad), line, gap, token.raw, token.repair, token.other, token.other_sure
        )
        for token, quad, line, gap in zip(tokens, quads, lines, gaps, strict=True)
    ]


def _quad(row: NDArray[np.float64]) -> Quad:
    a, b, c, d, e, f, g, h = (float(value) for value in row)
    return a, b, c, d, e, f, g, h
