"""Charts as geometry: rectangles, lines, dots and words of an SVG, laid out here and drawn by templates/charts.html.

https://www.w3.org/TR/SVG2/shapes.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 24, 10, 28
ROW = 24
"""Height of a row of a chart whose bars lie."""
NAMES = 144
"""Width of the names of such rows."""
SERIES = 4
"""Series that can be told apart: each has a colour and a pattern."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of a series, 1 and up."""

    x: float
    y: float
    width: float
    height: float
    series: int = 1


@dataclass(frozen=True, slots=True)
class Words:
    """A text at a point; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Dot:
    """A circle."""

    x: float
    y: float
    r: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything of a chart; `lines` are the points of polylines by series, `rules` those of the grid."""

    width: float = WIDTH
    height: float = HEIGHT
    rects: tuple[Rect, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    rules: tuple[str, ...] = ()
    dots: tuple[Dot, ...] = ()
    words: tuple[Words, ...] = ()
    diagonal: str = ""
    series: int = field(default=1)


def columns(names: Sequence[str], series: Sequence[Sequence[float]]) -> Drawing:
    """Standing bars, one for each name; several series stand on each other."""
    sums = [sum(values) for values in zip(*series, strict=True)]
    top, words, rules = _scale(max(sums, default=0.0))
    inner, step = HEIGHT - TOP - BOTTOM, (WIDTH - LEFT - RIGHT) / max(1, len(names))
    gap = min(4.0, step * 0.2)
    rects = []
    for n in range(len(names)):
        y = float(HEIGHT - BOTTOM)
        for number, values in enumerate(series, 1):
            tall = inner * values[n] / top
            if tall > 0:
                y -= tall
                rects.append(Rect(_r(LEFT + n * step + gap / 2), _r(y), _r(step - gap), _r(tall), number))
    return Drawing(
        rects=tuple(rects), words=(*words, *_below(names, step)), rules=rules, series=len(series)
    )  # fmt: skip


def rows(names: Sequence[str], series: Sequence[Sequence[float]], told: Sequence[str]) -> Drawing:
    """Lying bars, one for each name, with what it comes to at the end."""
    sums = [sum(values) for values in zip(*series, strict=True)]
    top, inner = max(sums, default=0.0) or 1.0, WIDTH - NAMES - 70
    rects, words = [], []
    for n, name in enumerate(names):
        x, y = float(NAMES), n * ROW + 4
        words.append(Words(NAMES - 8, y + 13, _short(name), "end"))
        for number, values in enumerate(series, 1):
            wide = inner * values[n] / top
            if wide > 0:
                rects.append(Rect(_r(x), y, _r(wide), ROW - 8, number))
                x += wide
        words.append(Words(_r(x + 6), y + 13, told[n], "start"))
    return Drawing(height=len(names) * ROW + 6, rects=tuple(rects), words=tuple(words), series=len(series))


def curves(names: Sequence[str], series: Sequence[Sequence[float | None]], top: float | None = None) -> Drawing:
    """Lines over names; where a value is missing the line goes on at the next."""
    told = [value for values in series for value in values if value is not None]
    most, words, rules = _scale(top if top is not None else max(told, default=0.0), share=top == 1.0)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(names))
    lines, dots = [], []
    for number, values in enumerate(series, 1):
        points = [
            (_r(LEFT + (n + 0.5) * step), _r(_height(value, most)))
            for n, value in enumerate(values)
            if value is not None
        ]
        lines.append((number, " ".join(f"{x},{y}" for x, y in points)))
        dots += [Dot(x, y, 2.2) for x, y in points] if len(points) <= 40 else []
    return Drawing(
        lines=tuple(lines), dots=tuple(dots), words=(*words, *_below(names, step)), rules=rules, series=len(series)
    )


def calibration(points: Sequence[tuple[float, float, int]]) -> Drawing:
    """Confidence against the share that was accepted, each dot as large as its number of decisions."""
    _, words, rules = _scale(1.0, share=True)
    most = max((n for *_, n in points), default=1)
    wide = WIDTH - LEFT - RIGHT
    dots = tuple(
        Dot(_r(LEFT + sure * wide), _r(_height(accepted, 1.0)), _r(3 + 7 * math.sqrt(n / most)))
        for sure, accepted, n in points
    )
    line = " ".join(f"{dot.x},{dot.y}" for dot in dots)
    below = tuple(Words(_r(LEFT + part * wide), HEIGHT - 8, f"{part:.0%}") for part in (0.0, 0.25, 0.5, 0.75, 1.0))
    return Drawing(
        lines=((1, line),), dots=dots, words=(*words, *below), rules=rules,
        diagonal=f"{LEFT},{_r(_height(0, 1.0))} {LEFT + wide},{_r(_height(1, 1.0))}",
    )  # fmt: skip


def spark(values: Sequence[float | None], width: int = 110, height: int = 28) -> str:
    """The points of a small line; empty where there are not two values."""
    told = [value for value in values if value is not None]
    if len(told) < 2:
        return ""
    low, span = min(told), (max(told) - min(told)) or 1.0
    step = (width - 4) / (len(told) - 1)
    return " ".join(
        f"{_r(2 + n * step)},{_r(height - 3 - (v - low) / span * (height - 6))}" for n, v in enumerate(told)
    )


def _scale(most: float, *, share: bool = False) -> tuple[float, tuple[Words, ...], tuple[str, ...]]:
    """The top of the axis, a round number, with the words beside it and the rules across."""
    top = 1.0 if share else _round_up(most)
    parts = [0.0, 0.25, 0.5, 0.75, 1.0] if share else [0.0, 0.5, 1.0]
    words, rules = [], []
    for part in parts:
        y = _r(_height(part * top, top))
        words.append(Words(LEFT - 6, y + 4, f"{part:.0%}" if share else _number(part * top), "end"))
        rules.append(f"{LEFT},{y} {WIDTH - RIGHT},{y}")
    return top, tuple(words), tuple(rules)


def _round_up(most: float) -> float:
    """The least round number that is not below."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * step >= most * 0.999999)


def _height(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _below(names: Sequence[str], step: float) -> list[Words]:
    """As many names below the axis as there is room for, the last always."""
    longest = max((len(name) for name in names), default=1)
    every = max(1, math.ceil((longest * 7.2 + 8) / step)) if names else 1
    last = len(names) - 1
    return [
        Words(_r(LEFT + (n + 0.5) * step), HEIGHT - 8, name) for n, name in enumerate(names) if (last - n) % every == 0
    ]


def _number(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:g}k" if value < 1_000_000 else f"{value / 1_000_000:g}M"
    return f"{value:g}"


def _short(name: str) -> str:
    return name if len(name) <= 19 else f"{name[:18]}…"


def _r(value: float) -> float:
    return round(value, 1)
