"""Words to rows in reading order: wide gaps split a row into segments, columns of prose are read one after another."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from extractors.pages.grids import find_grids
from extractors.pages.tokens import Token
from extractors.pages.wire import Grid

WIDE = 1.5  # of the height of a line's words: a gap that no space between words has
LEVEL = 0.45  # of a word's height: how far apart two words of a row may stand
COLUMN_ROWS = 6  # fewer rows side by side are no columns of prose
COLUMN_WORDS = 3.5  # mean words a row on either side of prose; cells of tables have fewer

Segment = list[Token]
Row = list[Segment]


@dataclass(slots=True)
class Placed:
    """Tokens in reading order; `lines` and `gaps` run along with them."""

    tokens: list[Token] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    gaps: list[bool] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)


def lay_out(tokens: Sequence[Token]) -> Placed:
    """Order `tokens`, whose boxes are in a space where lines run level, and find their tables."""
    rows = _order(_rows(_segments(tokens)))
    placed = Placed()
    ordinals: list[list[tuple[int, int]]] = []
    for number, row in enumerate(rows):
        spans = []
        for position, segment in enumerate(row):
            start = len(placed.tokens)
            for index, token in enumerate(segment):
                placed.tokens.append(token)
                placed.lines.append(number)
                placed.gaps.append(index == 0 and position > 0)
            spans.append((start, len(placed.tokens)))
        ordinals.append(spans)
    placed.grids = find_grids(placed.tokens, ordinals)
    return placed


def _segments(tokens: Sequence[Token]) -> list[Segment]:
    segments: list[Segment] = []
    for line in _engine_lines(tokens) if tokens and tokens[0].row >= 0 else _level_lines(tokens):
        line.sort(key=lambda token: token.x0)
        height = median(token.height for token in line)
        current: Segment = []
        reach = 0.0
        for token in line:
            if current and token.x0 - reach > WIDE * height:
                segments.append(current)
                current = []
            reach = max(reach, token.x1) if current else token.x1
            current.append(token)
        segments.append(current)
    return segments


def _engine_lines(tokens: Sequence[Token]) -> list[list[Token]]:
    lines: dict[tuple[int, int], list[Token]] = {}
    for token in tokens:
        lines.setdefault((token.block, token.row), []).append(token)
    return list(lines.values())


def _level_lines(tokens: Sequence[Token]) -> list[list[Token]]:
    lines: list[list[Token]] = []
    low = high = 0.0
    for token in sorted(tokens, key=lambda token: token.middle):
        overlap = min(high, token.y1) - max(low, token.y0)
        if lines and overlap > 0.5 * min(token.height, high - low) and low <= token.middle <= high:
            lines[-1].append(token)
        else:
            lines.append([token])
            low, high = token.y0, token.y1
    return lines


def _rows(segments: list[Segment]) -> list[Row]:
    """Chain segments that stand on one level, left to right."""
    rows: list[Row] = []
    middles: list[tuple[float, int]] = []  # of each row's last word, sorted, to find rows near a level
    reach = max((segment[0].height for segment in segments), default=1.0)
    for segment in sorted(segments, key=lambda segment: segment[0].x0):
        first = segment[0]
        best, best_off = -1, 1.0
        low, high = (
            bisect_left(middles, (first.middle - reach, -1)),
            bisect_right(middles, (first.middle + reach, len(rows))),
        )
        for middle, index in middles[low:high]:
            last = rows[index][-1][-1]
            off = abs(middle - first.middle) / (
                LEVEL * max(min(last.height, first.height), 0.6 * max(last.height, first.height))
            )
            if off < best_off and last.x1 <= first.x0 + 0.3 * first.height:
                best, best_off = index, off
        if best < 0:
            rows.append([segment])
            best = len(rows) - 1
        else:
            old = (rows[best][-1][-1].middle, best)
            del middles[bisect_left(middles, old)]
            rows[best].append(segment)
        new = (segment[-1].middle, best)
        middles.insert(bisect_left(middles, new), new)
    rows.sort(key=lambda row: sum(token.middle for segment in row for token in segment) / sum(map(len, row)))
    return rows


def _order(rows: list[Row]) -> list[Row]:
    """Rows as read: where prose stands in columns, the left column first."""
    ordered: list[Row] = []
    at = 0
    while at < len(rows):
        end, gutter = _columns(rows, at)
        if end:
            left = [[segment for segment in row if segment[0].x0 < gutter] for row in rows[at:end]]
            right = [[segment for segment in row if segment[0].x0 >= gutter] for row in rows[at:end]]
            ordered += _order([row for row in left if row]) + _order([row for row in right if row])
            at = end
        else:
            ordered.append(rows[at])
            at += 1
    return ordered


def _columns(rows: list[Row], start: int) -> tuple[int, float]:
    """The end of the rows from `start` that stand in two columns, and the gutter's place; (0, 0) when they do not."""
    for left, right in zip(rows[start], rows[start][1:], strict=False):
        low, high = left[-1].x1, right[0].x0
        both, words, end = 0, 0, start
        while end < len(rows):
            crossed = [s for s in rows[end] if s[0].x0 < high and s[-1].x1 > low]
            new_low = max([low, *(s[-1].x1 for s in crossed if s[0].x0 < low)])
            new_high = min([high, *(s[0].x0 for s in crossed if s[0].x0 >= low)])
            if new_high - new_low < left[-1].height:
                break
            low, high = new_low, new_high
            sides = [sum(len(s) for s in rows[end] if (s[0].x0 < high) is first) for first in (True, False)]
            if all(sides):
                both, words = both + 1, words + min(sides)
            end += 1
        if both >= COLUMN_ROWS and words >= COLUMN_WORDS * both:
            return end, high
    return 0, 0.0
