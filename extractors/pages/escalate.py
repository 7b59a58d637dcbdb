"""Numbers, codes and doubtful words read again by a second reader; what it read is kept beside the first reading."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from extractors.pages.image.boxes import fit_boxes
from extractors.pages.image.ink import Box, unread
from extractors.pages.ocr import LineReader
from extractors.pages.tokens import Token

Gray = NDArray[np.uint8]
RULE = "second-reader"
DOUBTFUL = 85.0  # any word read with less is read again
BROKEN, CLEAR = 60.0, 90.0  # words read with less may be pieces of one, if the second reader saw that one so surely
ALONE = 50.0  # confidence of what the first reader did not see, or saw as pieces: always doubtful
BARS = re.compile(r"[|!Il1itOoSZB]{2,4}")  # letters that figures are read as
UNIT = re.compile(r"(?!PO\b|IV\b|SC\b|IM\b)[^\d\s]{1,8}")  # what may stand behind a number as its unit
NEAR, WIDE = 0.9, 1.5  # of a word's height: words that close are read together, gaps that wide part a line
CLOSE = 0.3  # of a word's height: ink that near belongs to the word
ABOVE, BESIDE = 0.12, 0.35  # of a word's height: paper that is cut out with it
OUTSIDE = 1_000_000  # block of words that the first reader did not see, each in a row of its own


def escalate(tokens: Sequence[Token], gray: Gray, reader: LineReader, pieces: int, seconds: float) -> list[Token]:
    """The words of a page with `other` and `other_sure` set where they were worth it, the least sure first.

    At most `pieces` pieces of lines are read, and none is begun when `seconds` of CPU are over.
    Words in pieces are joined where the second reader saw one, and words that the first reader passed over are added.
    """
    end = time.process_time() + seconds
    apart = _widen(tokens, unread(gray, tokens))
    wanted = sorted(_pieces(tokens), key=lambda piece: min(token.confidence for token in piece[0]))
    joined: dict[int, list[Token]] = {}
    for words, room in wanted[:pieces]:
        if time.process_time() > end:
            break
        part, left = _cut(gray, words, room)
        if part.size:
            made = _share_out(words, reader.read_line(part), left)
            joined |= {id(word): made if word is words[0] else [] for word in words}
    kept = [word for token in tokens for word in joined.get(id(token), [token])]
    return kept + _passed_over(apart[: max(pieces - len(wanted), 0)], gray, reader, end)


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[list[Token], tuple[float, float]]]:
    """Neighbours that are worth a second reading, each with the white to its left and right in pixels."""
    lines: dict[tuple[int, int], list[Token]] = {}
    for token in tokens:
        lines.setdefault((token.block, token.row), []).append(token)
    for line in lines.values():
        line.sort(key=lambda token: token.x0)
        wanted = [_wanted(line, at) for at in range(len(line))]
        at = 0
        while at < len(line):
            end = at + 1
            while wanted[at] and end < len(line) and wanted[end] and _gap(line, end) < NEAR * line[at].height:
                end += 1
            if wanted[at]:
                yield line[at:end], (_gap(line, at), _gap(line, end))
            at = end


def _wanted(line: Sequence[Token], at: int) -> bool:
    """A number or what is made of one, its unit, or a doubtful word."""
    token = line[at]
    if (
        _has_digit(token.text)
        or BARS.fullmatch(token.text)
        or (token.confidence < DOUBTFUL and any(char.isalnum() for char in token.text))
    ):
        return True
    follows = at > 0 and _has_digit(line[at - 1].text) and _gap(line, at) < WIDE * token.height
    return follows and UNIT.fullmatch(token.text) is not None


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _gap(line: Sequence[Token], at: int) -> float:
    """The white before the word `at`; without bound at either end of the line."""
    return line[at].x0 - line[at - 1].x1 if 0 < at < len(line) else 1e9


def _cut(gray: Gray, words: Sequence[Token], room: tuple[float, float]) -> tuple[Gray, int]:
    """The words' part of the page, its paper white and its ink black, and its left edge."""
    height = max(token.height for token in words)
    x0 = int(max(0.0, words[0].x0 - min(BESIDE * height, 0.5 * max(room[0], 0.0))))
    x1 = int(min(gray.shape[1], words[-1].x1 + min(BESIDE * height, 0.5 * max(room[1], 0.0)) + 1))
    y0 = int(max(0.0, min(token.y0 for token in words) - ABOVE * height))
    y1 = int(min(gray.shape[0], max(token.y1 for token in words) + ABOVE * height + 1))
    part = gray[y0:y1, x0:x1]
    if part.size == 0:
        return part, x0
    ink, paper = (float(value) for value in np.percentile(part, (2, 85)))
    spread = max(paper - ink, 40.0)
    return np.clip((part.astype(np.float32) - (paper - spread)) * (255.0 / spread), 0, 255).astype(np.uint8), x0


def _share_out(words: Sequence[Token], letters: Sequence[Token], left: int) -> list[Token]:
    """Give each word what was read in its place: spaces need not stand where the first reader saw them."""
    texts, sure = [""] * len(words), [100.0] * len(words)
    bound: set[int] = set()  # words that no space parts from the one before them
    before = -1
    for letter in letters:
        if letter.text == " ":
            before = -1
            continue
        at = _nearest(words, left + (letter.x0 + letter.x1) / 2)
        if 0 <= before < at:
            bound |= set(range(before + 1, at + 1))
        texts[at], sure[at], before = texts[at] + letter.text, min(sure[at], letter.confidence), at
    made: list[Token] = []
    for at, (word, text) in enumerate(zip(words, texts, strict=True)):
        word.other, word.other_sure = text, sure[at] if text else 0.0
        last = made[-1] if made else None
        broken = last is not None and min(last.confidence, word.confidence) < BROKEN
        if last is not None and at in bound and broken and min(sure[at - 1 : at + 1]) >= CLEAR:
            made[-1] = _join(last, word)
        else:
            made.append(word)
    return made


def _join(left: Token, right: Token) -> Token:
    """One word of two pieces, as the second reader saw it; the pieces are kept as the other reading."""
    pieces = f"{left.other if left.repair == RULE else left.text} {right.text}"
    text = (left.text if left.repair == RULE else left.other or "") + (right.other or "")
    edges = (min(left.y0, right.y0), right.x1, max(left.y1, right.y1))
    return Token(text, ALONE, left.x0, *edges, left.block, left.row, pieces, RULE, pieces)


def _nearest(words: Sequence[Token], x: float) -> int:
    return min(range(len(words)), key=lambda at: max(words[at].x0 - x, x - words[at].x1))


def _widen(tokens: Sequence[Token], marks: Sequence[Box]) -> list[Box]:
    """Stretch each word's box over the ink that touches it; answers the marks that stand apart from all words."""
    apart: list[Box] = []
    for x0, y0, x1, y1 in marks:
        for token in tokens:
            reach = CLOSE * token.height
            if token.y0 < (y0 + y1) / 2 < token.y1 and x0 < token.x1 + reach and x1 > token.x0 - reach:
                token.x0, token.x1 = min(token.x0, x0), max(token.x1, x1)
                break
        else:
            apart.append((x0, y0, x1, y1))
    return apart


def _passed_over(marks: Sequence[Box], gray: Gray, reader: LineReader, end: float) -> list[Token]:
    """Words where ink looks like text and the first reader saw none."""
    added: list[Token] = []
    for x0, y0, x1, y1 in marks:
        if time.process_time() > end:
            break
        place = Token("", ALONE, x0, y0, x1, y1, OUTSIDE, len(added))
        part, _ = _cut(gray, [place], (1e9, 1e9))
        letters = reader.read_line(part) if part.size else []
        place.text = "".join(letter.text for letter in letters).strip().replace(" ", "")
        if _has_digit(place.text) or sum(char.isalpha() for char in place.text) > 1:
            place.repair = RULE
            fit_boxes([place])
            added += [place] if min(letter.confidence for letter in letters) >= CLEAR else []
    return added
