"""Tables from the places of words: a header row's cells are columns, the rows below fall into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from extractors.pages.tokens import Token
from extractors.pages.wire import Grid

Ordinals = tuple[int, int]
MIN_COLUMNS = 3
FAR = 2.6  # of a row's height: a row further down begins something else


@dataclass(slots=True)
class _Cell:
    span: Ordinals
    x0: float
    x1: float
    y: float
    height: float
    numeric: bool


def find_grids(tokens: Sequence[Token], rows: Sequence[Sequence[Ordinals]]) -> list[Grid]:
    """Tables among `rows`, each a list of word ranges between wide gaps."""
    lines = [[_cell(tokens, span) for span in row] for row in rows]
    grids: list[Grid] = []
    at = 0
    while at < len(lines):
        if not _is_header(lines[at]):
            at += 1
            continue
        header = lines[at]
        body: list[list[Ordinals | None]] = []
        end, y = at + 1, header[0].y
        while end < len(lines):
            row = lines[end]
            if abs(row[0].y - y) > FAR * header[0].height or _starts_anew(header, row, bool(body)):
                break
            placed = _place(tokens, header, row)
            if placed is None:
                break
            body.append(placed)
            y = row[0].y
            end += 1
        if body:
            grids.append(Grid([[cell.span for cell in header], *body], header=True))
            at = end
        else:
            at += 1
    return grids


def _cell(tokens: Sequence[Token], span: Ordinals) -> _Cell:
    words = tokens[span[0] : span[1]]
    digits = any(char.isdigit() for word in words for char in word.text)
    return _Cell(
        span,
        words[0].x0,
        max(word.x1 for word in words),
        median(w.middle for w in words),
        median(w.height for w in words),
        digits,
    )


def _is_header(row: Sequence[_Cell]) -> bool:
    """Three cells or more, none longer than four words, mostly without digits (SpO2, T4 have one)."""
    if len(row) < MIN_COLUMNS or any(cell.span[1] - cell.span[0] > 4 for cell in row):
        return False
    return sum(cell.numeric for cell in row) <= len(row) / 3


def _starts_anew(header: Sequence[_Cell], row: Sequence[_Cell], begun: bool) -> bool:
    """Another table's header right under this table: a header by itself whose cells stand elsewhere."""
    if not begun or not _is_header(row) or any(cell.numeric for cell in row[1:2]):
        return False
    size = header[0].height
    apart = sum(1 for cell in row if min(abs(cell.x0 - other.x0) for other in header) > 0.8 * size)
    return apart >= max(1, len(row) // 3)


def _place(tokens: Sequence[Token], header: Sequence[_Cell], row: Sequence[_Cell]) -> list[Ordinals | None] | None:
    """The row's words by column; None when they do not fall into the header's columns."""
    if len(row) < 2:
        return None
    pieces = [piece for cell in row for piece in _split(tokens, header, cell)]
    placed: list[Ordinals | None] = [None] * len(header)
    column = -1
    for piece in pieces:
        best = min(range(len(header)), key=lambda index: _off(header, index, piece))
        if best < column:
            return None
        old = placed[best]
        placed[best] = (old[0], piece.span[1]) if old else piece.span
        column = best
    return placed if sum(cell is not None for cell in placed) >= 2 else None


def _off(header: Sequence[_Cell], index: int, cell: _Cell) -> float:
    """How far a cell is from a column: by its left edge, right edge or middle, whichever is nearest."""
    head = header[index]
    shared = min(head.x1, cell.x1) - max(head.x0, cell.x0)
    off = min(abs(head.x0 - cell.x0), abs(head.x1 - cell.x1), abs(head.x0 + head.x1 - cell.x0 - cell.x1) / 2)
    return off if shared > 0 else off + head.height


def _split(tokens: Sequence[Token], header: Sequence[_Cell], cell: _Cell) -> list[_Cell]:
    """A run of words that reaches into the next column is two cells, cut where that column begins."""
    starts = [head.x0 for head in header]
    cuts = [
        index
        for index in range(cell.span[0] + 1, cell.span[1])
        if any(abs(tokens[index].x0 - start) < 0.5 * cell.height for start in starts)
        and tokens[index].x0 - tokens[index - 1].x1 > 0.45 * cell.height
    ]
    edges = [cell.span[0], *cuts, cell.span[1]]
    return [_cell(tokens, (a, b)) for a, b in pairwise(edges)]
