"""Ruled tables of a trusted PDF page, by pdfplumber: words fall into drawn cells, wrapped cells are read whole."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pdfplumber

from extractors.pages.layout import Placed
from extractors.pages.tokens import Token
from extractors.pages.wire import Grid, Span

Box = tuple[float, float, float, float]
Ruling = list[list[Box | None]]
MOST_CHARS, MOST_PATHS = 20_000, 3_000
SETTINGS = {"text_x_tolerance_ratio": 0.15}  # the library's default of 3 points joins words


def find_ruled(data: bytes, number: int) -> list[Ruling]:
    """The cells, row by row, of each table with two rows and two columns or more on page `number`."""
    with pdfplumber.open(io.BytesIO(data)) as document:
        page = document.pages[number - 1]
        if len(page.chars) > MOST_CHARS:
            return []
        tables = [[list(row.cells) for row in table.rows] for table in page.find_tables(SETTINGS)]
    return [rows for rows in tables if len(rows) >= 2 and max(map(len, rows)) >= 2]


def place_ruled(placed: Placed, rulings: Sequence[Ruling]) -> Placed:
    """The words again, each ruled table read row by row and cell by cell; other tables stay as they were."""
    homes: dict[int, tuple[int, int, int]] = {}
    for index, token in enumerate(placed.tokens):
        home = next((home for home in _homes(rulings) if _holds(home[1], token)), None)
        if home is not None:
            homes[index] = home[0]
    if not homes:
        return placed
    return _merge(placed, rulings, homes)


def _homes(rulings: Sequence[Ruling]) -> list[tuple[tuple[int, int, int], Box]]:
    return [
        ((t, r, c), cell)
        for t, rows in enumerate(rulings)
        for r, row in enumerate(rows)
        for c, cell in enumerate(row)
        if cell is not None
    ]


def _holds(box: Box, token: Token) -> bool:
    x, y = (token.x0 + token.x1) / 2, token.middle
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _merge(placed: Placed, rulings: Sequence[Ruling], homes: dict[int, tuple[int, int, int]]) -> Placed:
    made = Placed()
    moved: dict[int, int] = {}
    done: set[int] = set()
    line, last = -1, None
    for index, token in enumerate(placed.tokens):
        home = homes.get(index)
        if home is None:
            if placed.lines[index] != last:
                line, last = line + 1, placed.lines[index]
            moved[index] = len(made.tokens)
            _put(made, token, line, placed.gaps[index])
        elif home[0] not in done:
            done.add(home[0])
            line, last = _lay_table(made, placed, rulings[home[0]], home[0], homes, line), None
    for grid in placed.grids:
        words = [i for row in grid.rows for cell in row if cell for i in range(*cell)]
        if all(i in moved for i in words):
            made.grids.append(Grid([[_shift(cell, moved) for cell in row] for row in grid.rows], grid.header))
    return made


def _lay_table(
    made: Placed, placed: Placed, rows: Ruling, table: int, homes: dict[int, tuple[int, int, int]], line: int
) -> int:
    grid: list[list[Span | None]] = []
    for r, row in enumerate(rows):
        cells: list[Span | None] = []
        line += 1
        for c in range(len(row)):
            start = len(made.tokens)
            for index in [i for i, home in homes.items() if home == (table, r, c)]:
                _put(made, placed.tokens[index], line, len(made.tokens) == start and any(cells))
            cells.append((start, len(made.tokens)) if len(made.tokens) > start else None)
        grid.append(cells)
    made.grids.append(Grid(grid, header=True))
    return line


def _put(made: Placed, token: Token, line: int, gap: bool) -> None:
    made.tokens.append(token)
    made.lines.append(line)
    made.gaps.append(gap)


def _shift(cell: Span | None, moved: dict[int, int]) -> Span | None:
    return (moved[cell[0]], moved[cell[1] - 1] + 1) if cell else None
