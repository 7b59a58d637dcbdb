"""The shape of a printed number: how many glyphs, and where points and dashes stand between them.

The engine drops decimal points that are plainly there. A point is easy to see by its geometry alone, so it is looked for.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.pages.tokens import Token

Gray = NDArray[np.uint8]
SIZE = 64  # pixels of type size at which glyphs are looked at
LEVELS = (0.5, 0.35, 0.65)  # of the way from paper to ink
GLYPH, POINT, DASH = "G", ".", "-"
NOT_THOUSANDS = re.compile(r"(?<=\d)(?:,(?=\d{1,2}(?!\d))|:(?=\d(?!\d)))")  # a comma or colon read for a point
POINTED = re.compile(r"[^.]*\d?(?:(?<=\d)\.(?=\d)[^.]*?){1}(?:[-–/][^.]*(?<=\d)\.(?=\d)[^.]*)?")  # one point a number


def shapes(gray: Gray, token: Token, white: tuple[float, float]) -> list[str]:
    """The patterns of a word at some thresholds, such as `GG.G`; the likeliest first."""
    height = max(token.height, 4.0)
    x0 = int(max(0, token.x0 - min(0.1 * height, white[0])))
    x1 = int(min(gray.shape[1], token.x1 + min(0.1 * height, white[1]) + 1))
    y0, y1 = int(max(0, token.y0)), int(min(gray.shape[0], token.y1 + 1))
    part = gray[y0:y1, x0:x1]
    if part.size == 0 or part.shape[1] > 25 * height:
        return []
    by = SIZE / height
    large = cv2.resize(part, None, fx=by, fy=by, interpolation=cv2.INTER_CUBIC)
    paper, ink = float(np.percentile(large, 90)), float(np.percentile(large, 3))
    if paper - ink < 40:
        return []
    found = [_pattern((large < paper - level * (paper - ink)).astype(np.uint8)) for level in LEVELS]
    return [pattern for pattern in found if pattern]


def _pattern(ink: NDArray[np.uint8]) -> str:
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    parts = sorted(stats[1:count].tolist(), key=lambda part: part[0])
    tall = [part for part in parts if part[3] >= 0.4 * SIZE]
    if not tall:
        return ""
    foot = float(np.median([part[1] + part[3] for part in tall]))
    digit = float(np.median([part[3] for part in tall]))
    groups: list[tuple[str, float, float]] = []
    for x, y, width, height, area in parts:
        kind = _kind(y, width, height, area, foot, digit)
        if not kind:
            continue
        if (
            groups and x + width - groups[-1][1] < 0.4 * width and kind != GLYPH
        ):  # within the glyph before: a dotted zero
            continue
        if (
            groups
            and kind == GLYPH
            and min(x + width, groups[-1][2]) - max(x, groups[-1][1]) > 0.6 * min(width, groups[-1][2] - groups[-1][1])
        ):
            groups[-1] = (GLYPH, groups[-1][1], max(groups[-1][2], x + width))
            continue
        groups.append((kind, x, x + width))
    return "".join(kind for kind, _, _ in groups)


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


def shape_of(text: str) -> str:
    """The pattern that `text` should have."""
    return "".join(POINT if char in ".,:" else DASH if char in "-–—" else GLYPH for char in text)


def with_points(text: str, patterns: list[str]) -> str | None:
    """`text` as its shape says: points that are seen put in, points that are not seen left out at its end.

    None when the glyphs do not match in number. A missing point is put in when two thresholds agree on it.
    """
    core = text.rstrip("%")
    plain = NOT_THOUSANDS.sub(".", core)
    made = [found for pattern in patterns if (found := _fitted(plain, pattern, len(text) > len(core))) is not None]
    if plain in made:
        return plain + text[len(core) :]
    for found in made:
        if made.count(found) >= 2:
            return found + text[len(core) :]
    return None


def _fitted(core: str, pattern: str, percent: bool) -> str | None:
    seen = _without_percent(pattern, core) if percent else pattern
    shape = shape_of(core)
    if seen.replace(POINT, "") != shape.replace(POINT, ""):
        return None
    if shape == seen:
        return core
    if shape[:-1] == seen and shape[-1] == POINT:
        return core[:-1]
    if shape.count(POINT) >= seen.count(POINT):
        return core
    marks = iter(char for char in core if char not in ".,:")
    made = "".join("." if kind == POINT else next(marks) for kind in seen)
    return made if POINTED.fullmatch(made) else None


def _without_percent(seen: str, core: str) -> str:
    """The pattern's part that stands for the number before a per cent sign, itself of one to three parts."""
    need, at = len(shape_of(core).replace(POINT, "")), 0
    for end, kind in enumerate(seen):
        at += kind != POINT
        if at == need:
            return seen[: end + 1]
    return seen
