"""Word boxes set to what the font would give them: level with their line, ascender to descender."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from extractors.pages.tokens import Token

ASCENDER, DESCENDER = 0.74, 0.22  # of the font's size, above and below the baseline
HIGH, LOW, SMALL = 0.70, 0.21, 0.52  # ink of a capital, below the line of a descender, of a small letter
RISERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZbdfhklt0123456789/|()[]{}%&$#!?\"'^<>")
FALLERS = set("gjpqy/|()[]{},;Q$")
BEARING, NARROWEST = 0.04, 0.24  # of the font's size: white beside the ink, a word's least width


def fit_boxes(tokens: Sequence[Token]) -> None:
    """Fit the boxes of `tokens`, line by line, in place."""
    lines: dict[tuple[int, int], list[Token]] = {}
    for token in tokens:
        lines.setdefault((token.block, token.row), []).append(token)
    sizes = {key: _size(line) for key, line in lines.items()}
    usual = median(sizes.values()) if sizes else 0.0
    for key, line in lines.items():
        size = sizes[key]
        if size > 2.5 * usual or size < 0.4 * usual:  # a logo or a speck: leave the ink's own box
            continue
        _fit(line, size)


def _size(line: Sequence[Token]) -> float:
    return median(token.height / _share(token.text) for token in line)


def _share(text: str) -> float:
    """The share of the font's size that the ink of a word takes in height."""
    rises = any(char in RISERS for char in text)
    falls = any(char in FALLERS for char in text)
    return (HIGH if rises else SMALL) + (LOW if falls else 0.0)


def _fit(line: Sequence[Token], size: float) -> None:
    middles = np.array([(token.x0 + token.x1) / 2 for token in line])
    bases = np.array([token.y1 - (LOW * size if any(c in FALLERS for c in token.text) else 0.0) for token in line])
    if len(line) >= 5:
        slope, offset = np.polyfit(middles, bases, 1)
        off = np.abs(bases - slope * middles - offset)
        keep = off <= max(1.0, 2 * float(np.median(off)))
        if keep.sum() >= 3:
            slope, offset = np.polyfit(middles[keep], bases[keep], 1)
        levels = slope * middles + offset
    else:
        levels = np.full(len(line), float(np.median(bases)))
    for token, level in zip(line, levels.tolist(), strict=True):
        token.y0, token.y1 = level - ASCENDER * size, level + DESCENDER * size
        token.x0, token.x1 = token.x0 - BEARING * size, token.x1 + BEARING * size
        lack = NARROWEST * size - (token.x1 - token.x0)
        if lack > 0:
            token.x0, token.x1 = token.x0 - lack / 2, token.x1 + lack / 2
