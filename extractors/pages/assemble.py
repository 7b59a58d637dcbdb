"""Read pages to one `Document`: text with offsets, words, tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from extractors.model import Document, Page, Span, Table, Word
from extractors.pages import wire
from extractors.pages.repair import repair
from extractors.pages.verdict import judge, prefer

Lookup = Callable[[str], str | None]


def assemble(
    pages: Sequence[wire.PageRead], media_type: str, digest: str, *, lexicon: Lookup | None = None
) -> Document:
    """Join `pages`: words by a space, wide gaps by a tab, lines by a newline, pages by a form feed."""
    parts: list[str] = []
    made: list[Page] = []
    tables: list[Table] = []
    at = 0
    for index, page in enumerate(pages):
        if index:
            parts.append("\f")
            at += 1
        seen = page.words if page.method == "text" else _settled(page.words, lexicon)
        text, words = _lay(seen, at)
        parts.append(text)
        made.append(_page(page, words, at, at + len(text)))
        tables.extend(_table(page.number, grid, words) for grid in page.grids)
        at += len(text)
    return Document("".join(parts), media_type, digest, tuple(made), tuple(tables))


def whole(opened: wire.Opened, media_type: str, digest: str) -> Document:
    """A document without pages."""
    tables = tuple(
        Table(0, tuple(tuple((a, b) for a, b in row) for row in rows), header=True) for rows in opened.tables
    )
    return Document(opened.text, media_type, digest, (), tables, opened.title)


def _settled(words: Sequence[wire.Seen], lexicon: Lookup | None) -> list[wire.Seen]:
    """Words repaired, with the surer of two readings where the repair did not decide between them."""
    repaired = repair(words, lexicon)
    surer = prefer(repaired)
    return judge(repaired if surer == repaired else repair(surer, lexicon))


def _lay(seen: Sequence[wire.Seen], at: int) -> tuple[str, tuple[Word, ...]]:
    parts: list[str] = []
    words: list[Word] = []
    line, start = -1, at
    for item in seen:
        if line >= 0:
            parts.append("\n" if item.line != line else "\t" if item.gap else " ")
            at += 1
        line = item.line
        parts.append(item.text)
        words.append(
            Word(
                item.text,
                at,
                at + len(item.text),
                item.quad,
                item.confidence,
                item.line,
                item.raw,
                item.repair,
                item.other,
            )
        )
        at += len(item.text)
    if at > start:
        parts.append("\n")
    return "".join(parts), tuple(words)


def _page(page: wire.PageRead, words: tuple[Word, ...], start: int, end: int) -> Page:
    mean = sum(word.confidence for word in words) / len(words) if words else 0.0 if page.method == "failed" else 100.0
    return Page(
        number=page.number,
        width=page.width,
        height=page.height,
        start=start,
        end=end,
        method=page.method,
        words=words,
        engine=page.engine,
        dpi=page.dpi,
        rotation=page.rotation,
        steps=tuple(page.steps),
        confidence=round(mean, 2),
        reason=page.reason,
    )


def _table(number: int, grid: wire.Grid, words: tuple[Word, ...]) -> Table:
    rows = []
    for cells in grid.rows:
        at = next((words[cell[0]].start for cell in cells if cell), 0)
        row: list[Span] = []
        for cell in cells:
            if cell is None:
                row.append((at, at))
            else:
                at = words[cell[1] - 1].end
                row.append((words[cell[0]].start, at))
        rows.append(tuple(row))
    return Table(number, tuple(rows), grid.header)
