"""One normal form for documents and for lexicon terms, with the way back to the document's offsets.

A text becomes a stream of tokens, each wrapped in its own two spaces (`" chest  pain "`), so that a plain substring
search for a normalised term can only ever hit whole words. Sentence and clause ends become a token of their own,
`BREAK`, which no term contains: a match cannot run across them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from ahocorasick_rs import AhoCorasick

from extractors.model import Span
from terminology.folding import fold_word
from terminology.search.words import spelled

BREAK = "|"
_BROKEN = f" {BREAK} "
REMEMBERED, LONG = 50_000, 32  # pieces whose form is kept, and how long one of them may be
_BLANK, _MARK = "\n", "\x1e"  # what a piece ends with; after a mark nothing goes on
_BLANKS = frozenset(b"\t\n\v\f\r\x1c\x1d\x1e\x1f ")
_DOT, _MARKED = ord("."), ord(_MARK)
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_STREAM = r"([a-z0-9{}]+(?:'s\b|/o\b|/(?=[ \x1e]|$))?|[;:!?\t\f•|&\x1e]|\.(?=\s|$)|[-+]ve\b|\([-+]\))"
_TOKEN = re.compile(_STREAM.format(""))
_TOKEN_WITH_LIGATURES = re.compile(_STREAM.format("\ufb00-\ufb06"))  # a larger set makes every step dearer
_BREAKS = frozenset(f";:!?\t\f•|.{_MARK}")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_PUNCTUATION = {
    **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("‐‑‒–—―−﹣-", "-"),
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
    **dict.fromkeys("●▪■◦‣∙·○◆➢►", "•"),
    "⁄": "/", "∕": "/", "×": "x", "≥": "≥", "≤": "≤", "µ": "u", "μ": "u", "º": "°", "：": ":", "，": ",", "；": ";",
    "（": "(", "）": ")", "％": "%", "ß": "s", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "æ": "a", "œ": "o",
}  # fmt: skip
_WORDS = {
    "w/o": "without", "w/": "with", "&": "and", "etoh": "alcohol", "d/o": "disorder", "dz": "disease",
    "fx": "fracture", "exac": "exacerbation", "exacerb": "exacerbation", "bilat": "bilateral",
    "meth": "methamphetamine",
}  # fmt: skip
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}


@lru_cache(maxsize=4096)
def _fold_character(c: str) -> str:
    if c in _PUNCTUATION:
        return _PUNCTUATION[c]
    if c in _LIGATURES or unicodedata.decomposition(c).startswith("<fraction>"):
        return c  # "½" is no "1"
    low = unicodedata.normalize("NFKD", c)[:1].lower()
    return low if len(low) == 1 else c


def fold(text: str) -> str:
    """`text` in lower case with ASCII punctuation and no accents, of exactly the same length."""
    if not text.isascii():
        text = _BEYOND_ASCII.sub(lambda m: _fold_character(m[0]), text)
    return text.lower()


def _plain(token: str) -> str:
    """The token's plain form: no possessive, no ligature, no plural ending, American spelling; a stop is `BREAK`."""
    if token in _WORDS:
        return _WORDS[token]
    if token[0] in _BREAKS:
        return BREAK
    if token[0] in "(+-":
        return token
    token = token.removesuffix("'s").rstrip("/")
    if not token.isascii():
        token = "".join(_LIGATURES.get(c, c) for c in token)
    return spelled(fold_word(token))


class _Forms(dict[str, str]):
    """Normal forms of the pieces between blanks, remembered; bounded, for a document may hold any number of them."""

    def __missing__(self, piece: str) -> str:
        if len(self) > REMEMBERED:
            self.clear()
        form = "".join(f" {_plain(token)} " for token in _token_of(piece).findall(piece))
        if len(piece) <= LONG:
            self[piece] = form
        return form


_FORMS = _Forms()


def _token_of(piece: str) -> re.Pattern[str]:
    return _TOKEN if piece.isascii() else _TOKEN_WITH_LIGATURES


@lru_cache(maxsize=8192)
def _edges(piece: str) -> tuple[dict[int, int], dict[int, int]]:
    """Where the tokens of a piece begin and end: place in its normal form → place in the piece."""
    begins, ends, at = {}, {}, 0
    for match in _token_of(piece).finditer(piece):
        begins[at] = match.start()
        at += len(_plain(match[0])) + 2
        ends[at] = match.end()
    return begins, ends


@dataclass(frozen=True, slots=True)
class Normal:
    """A normalised document: `text` is the token stream, and `span` leads back."""

    text: str
    pieces: list[str]  # of the document, each with the blank that ends it
    begins: list[int]  # of each piece in `text`
    offsets: list[int]  # of each piece in the document

    def span(self, start: int, end: int) -> Span:
        """The document span of `text[start:end]`, which begins and ends with whole tokens."""
        i, j = bisect_right(self.begins, start) - 1, bisect_left(self.begins, end) - 1
        begins, ends = _edges(self.pieces[i])[0], _edges(self.pieces[j])[1]
        return self.offsets[i] + begins[start - self.begins[i]], self.offsets[j] + ends[end - self.begins[j]]

    def start(self, at: int) -> int:
        """Where in the document the token begins that begins at `at`."""
        i = bisect_right(self.begins, at) - 1
        return self.offsets[i] + _edges(self.pieces[i])[0][at - self.begins[i]]

    def end(self, at: int) -> int:
        """Where in the document the token ends that ends at `at`."""
        i = bisect_left(self.begins, at) - 1
        return self.offsets[i] + _edges(self.pieces[i])[1][at - self.begins[i]]

    def stretches(self, spans: Iterable[Span]) -> list[Span]:
        """The parts of `text` that hold these spans of the document (ascending), each from break to break."""
        found: list[Span] = []
        reached = -1
        for start, end in spans:
            last = bisect_left(self.offsets, end)
            high = self.begins[last]
            if last and self.pieces[last - 1].endswith(_MARK):
                high -= len(_BROKEN)
            if high <= reached:
                continue
            low = self.begins[max(bisect_right(self.offsets, start) - 1, 0)]
            low = max(self.text.rfind(_BROKEN, 0, low), 0)
            high = self.text.find(_BROKEN, high)
            high = len(self.text) if high < 0 else high
            if low <= reached:
                found[-1] = (found[-1][0], high)
            else:
                found.append((low, high))
            reached = high
        return found

    def matches(self, automaton: AhoCorasick, spans: Iterable[Span]) -> Iterator[tuple[int, int, int]]:
        """(number, start, end) in `text` of what an automaton finds around spans (ascending) of the document."""
        for low, high in self.stretches(spans):
            for number, start, end in automaton.find_matches_as_indexes(self.text[low:high]):
                yield number, start + low, end + low

    def after(self, stop: int, count: int) -> int | None:
        """Where the token ends in the document that comes `count` tokens after `text[:stop]`; None: there is none."""
        for _ in range(count):
            stop = self.text.find(" ", stop + 1) + 1
            if not stop:
                return None
        return self.end(stop)

    def before(self, start: int, count: int) -> int | None:
        """Where the token begins in the document that comes `count` tokens before `text[start:]`."""
        for _ in range(count):
            if not start:
                return None
            start = self.text.rfind(" ", 0, start - 1)
        return self.start(start)


def normalise(folded: str, breaks: Sequence[int] = ()) -> Normal:
    """The token stream of a folded text; `breaks` are offsets (ascending) that no term may run across.

    The text is cut at its blanks and each piece looked up, for most were met before: far cheaper than a pattern over
    all of it.
    """
    if _MARK in folded:
        folded = folded.replace(_MARK, " ")
    marked = _mark(folded, breaks) if breaks else folded
    if "\n\n" in marked or "\n " in marked or "\n\t" in marked:
        marked = _EMPTY_LINE.sub(lambda m: f" {BREAK}".ljust(len(m[0])), marked)
    pieces = marked.replace(" ", _BLANK).splitlines(keepends=True)
    forms = [*map(_FORMS.__getitem__, pieces)]
    begins = [*accumulate(map(len, forms), initial=0)]
    return Normal("".join(forms), pieces, begins, [*accumulate(map(len, pieces), initial=0)])


def _mark(folded: str, breaks: Sequence[int]) -> str:
    """`folded` with a mark in place of the blank before each offset, where a full stop is not mark enough."""
    if not folded.isascii():
        letters = [*folded]
        for stop in breaks:
            if stop and letters[stop - 1].isspace() and letters[stop - 2] != ".":
                letters[stop - 1] = _MARK
        return "".join(letters)
    octets = bytearray(folded, "ascii")
    for stop in breaks:
        if stop and octets[stop - 1] in _BLANKS and octets[stop - 2] != _DOT:
            octets[stop - 1] = _MARKED
    return octets.decode("ascii")


def term(text: str) -> str:
    """A lexicon term in the same form, ready to be searched for in `Normal.text` ("" when nothing is left)."""
    words = map(_plain, _TOKEN_WITH_LIGATURES.findall(fold(text)))
    return "".join(f" {word} " for word in words if word != BREAK)
