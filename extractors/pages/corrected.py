"""Words that a person corrected put in the place of those that were read; everything behind them moves along."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from extractors.model import Document, Page, Quad, Table, Word

BY_HAND = "coder"
"""The repair of a word that a person corrected; its `raw` is what was read there."""

SURE = 100.0
Edit = tuple[int, int, tuple[Word, ...]]  # a span of the text, and the words that stand there instead


@dataclass(frozen=True, slots=True)
class Correction:
    """What stands on a page within a rectangle around whole words of one line; sides as fractions of the page."""

    page: int
    left: float
    top: float
    width: float
    height: float
    text: str

    def holds(self, word: Word) -> bool:
        """Whether the middle of a word lies within."""
        x, y = sum(word.quad[0::2]) / 4, sum(word.quad[1::2]) / 4
        return self.left <= x <= self.left + self.width and self.top <= y <= self.top + self.height


def corrected(document: Document, corrections: Sequence[Correction]) -> Document:
    """The document as it would be had it been read so; its boxes stay. A later correction of a word wins."""
    edits: dict[int, Edit] = {}
    by_page: dict[int, list[Correction]] = {}
    for correction in corrections:
        by_page.setdefault(correction.page, []).append(correction)
    for page in document.pages:
        taken: dict[int, Edit] = {}
        for correction in by_page.get(page.number, ()):
            for edit in _edits(correction, _line(page, correction)):
                taken = {at: old for at, old in taken.items() if old[1] <= edit[0] or old[0] >= edit[1]}
                taken[edit[0]] = edit
        edits |= taken
    return _edited(document, [edits[at] for at in sorted(edits)]) if edits else document


def _line(page: Page, correction: Correction) -> list[Word]:
    """The words within the rectangle that stand on the line most of them do."""
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        if correction.holds(word):
            lines.setdefault(word.line, []).append(word)
    return max(lines.values(), key=len, default=[])


def _edits(correction: Correction, words: Sequence[Word]) -> Iterable[Edit]:
    """Word for word where there are as many, else all at once."""
    texts = correction.text.split()
    if not words or not texts:
        return
    if len(texts) == len(words):
        for word, text in zip(words, texts, strict=True):
            yield word.start, word.end, (_by_hand(word, text, word.text, word.quad),)
        return
    read = " ".join(word.text for word in words)
    quads = _shares(words, texts)
    made = tuple(_by_hand(words[0], text, read, quad) for text, quad in zip(texts, quads, strict=True))
    yield words[0].start, words[-1].end, made


def _by_hand(word: Word, text: str, read: str, quad: Quad) -> Word:
    return replace(word, text=text, raw=read, repair=BY_HAND, other=None, confidence=SURE, quad=quad)


def _shares(words: Sequence[Word], texts: Sequence[str]) -> list[Quad]:
    """The rectangle around the words, shared out among texts by their length."""
    xs, ys = [x for word in words for x in word.quad[0::2]], [y for word in words for y in word.quad[1::2]]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    ends = [0, *accumulate(len(text) for text in texts)]
    edges = [left + (right - left) * end / ends[-1] for end in ends]
    return [(a, top, b, top, b, bottom, a, bottom) for a, b in pairwise(edges)]


def _edited(document: Document, edits: Sequence[Edit]) -> Document:
    moves = _Moves(edits)
    parts, at = [], 0
    for start, end, words in edits:
        parts += [document.text[at:start], " ".join(word.text for word in words)]
        at = end
    parts.append(document.text[at:])
    instead = {start: (end, words) for start, end, words in edits}
    pages = tuple(_page(page, instead, moves) for page in document.pages)
    tables = tuple(_table(table, moves) for table in document.tables)
    return replace(document, text="".join(parts), pages=pages, tables=tables)


class _Moves:
    """Offsets before the edits to offsets after them."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._starts = [edit[0] for edit in edits]
        self._ends = [edit[1] for edit in edits]
        lengths = [sum(len(word.text) for word in words) + len(words) - 1 for _, _, words in edits]
        grown = (new - (end - start) for new, (start, end, _) in zip(lengths, edits, strict=True))
        self._grown = [0, *accumulate(grown)]

    def __call__(self, offset: int) -> int:
        """Where an offset is; one within an edit is at its end."""
        index = bisect_right(self._starts, offset)
        if index and offset < self._ends[index - 1]:
            inside = offset > self._starts[index - 1]
            return self._ends[index - 1] + self._grown[index] if inside else offset + self._grown[index - 1]
        return offset + self._grown[index]


def _page(page: Page, instead: dict[int, tuple[int, tuple[Word, ...]]], moves: _Moves) -> Page:
    words: list[Word] = []
    skip = -1
    for word in page.words:
        if word.start < skip:
            continue
        if word.start not in instead:
            words.append(replace(word, start=moves(word.start), end=moves(word.end)))
            continue
        skip, made = instead[word.start]
        at = moves(word.start)
        for one in made:
            words.append(replace(one, start=at, end=at + len(one.text)))
            at += len(one.text) + 1
    mean = round(sum(word.confidence for word in words) / len(words), 2) if words else page.confidence
    return replace(page, start=moves(page.start), end=moves(page.end), words=tuple(words), confidence=mean)


def _table(table: Table, moves: _Moves) -> Table:
    return replace(table, rows=tuple(tuple((moves(a), moves(b)) for a, b in row) for row in table.rows))
