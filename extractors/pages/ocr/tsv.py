"""Tesseract's TSV to tokens."""

from __future__ import annotations

from extractors.pages.tokens import Token

WORD_LEVEL = "5"


def parse_tsv(tsv: str) -> list[Token]:
    """Tokens of the word rows: level, page, block, paragraph, line, word, left, top, width, height, conf, text."""
    tokens: list[Token] = []
    for row in tsv.split("\n"):
        cells = row.split("\t")
        if len(cells) < 12 or cells[0] != WORD_LEVEL or not cells[11].strip():
            continue
        block, paragraph, line = int(cells[2]), int(cells[3]), int(cells[4])
        left, top, width, height = map(int, cells[6:10])
        tokens.append(
            Token(
                cells[11].strip(),
                float(cells[10]),
                left,
                top,
                left + width,
                top + height,
                block,
                paragraph * 10_000 + line,
            )
        )
    return tokens
