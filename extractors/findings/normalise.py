"""One normal form for documents and for lexicon terms, with the way back to the document's offsets.

A text becomes a stream of tokens, each wrapped in its own two spaces (`" chest  pain "`), so that a plain substring
search for a normalised term can only ever hit whole words. Sentence and clause ends become a token of their own,
`BREAK`, which no term contains: a match cannot run across them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from extractors.model import Span
from terminology.folding import fold_word

BREAK = "|"
_STREAM = r"([a-z0-9{}]+(?:'s\b|/o\b|/(?= ))?|[;:!?\t\f•|&]|\.(?=\s|$)|\n[ \t]*\n|[-+]ve\b|\([-+]\))"
_TOKEN = re.compile(_STREAM.format(""))
_TOKEN_WITH_LIGATURES = re.compile(_STREAM.format("\ufb00-\ufb06"))  # a larger set makes every step dearer
_BREAKS = frozenset(";:!?\t\f•|.")
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
_WORDS = {"w/o": "without", "w/": "with", "&": "and"}
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}


@lru_cache(maxsize=4096)
def _fold_character(c: str) -> str:
    if c in _PUNCTUATION:
        return _PUNCTUATION[c]
    if c in _LIGATURES:
        return c
    low = unicodedata.normalize("NFKD", c)[:1].lower()
    return low if len(low) == 1 else c


def fold(text: str) -> str:
    """`text` in lower case with ASCII punctuation and no accents, of exactly the same length."""
    if not text.isascii():
        text = _BEYOND_ASCII.sub(lambda m: _fold_character(m[0]), text)
    return text.lower()


def _plain(token: str) -> str:
    """The token's plain form: no possessive, no ligature, no plural ending; a stop is `BREAK`."""
    if token in _WORDS:
        return _WORDS[token]
    if token[0] in _BREAKS or token.isspace():
        return BREAK
    if token[0] in "(+-":
        return token
    token = token.removesuffix("'s").rstrip("/")
    if not token.isascii():
        token = "".join(_LIGATURES.get(c, c) for c in token)
    return fold_word(token)


class _Padded(dict[str, str]):
    """Plain forms between two spaces, remembered; bounded, for a document may hold any number of odd tokens."""

    def __missing__(self, token: str) -> str:
        if len(self) > 100_000:
            self.clear()
        word = self[token] = f" {_plain(token)} "
        return word


_PADDED = _Padded()


@dataclass(frozen=True, slots=True)
class Normal:
    """A normalised document: `text` is the token stream, and `span` leads back."""

    text: str
    starts: list[int]  # of each token in `text`, its leading space included, and the end of `text`
    edges: list[int]  # start and end of each token in the document, one after the other

    def span(self, start: int, end: int) -> Span:
        """The document span of `text[start:end]`, which begins and ends with whole tokens."""
        return self.edges[2 * bisect_left(self.starts, start)], self.edges[2 * bisect_left(self.starts, end) - 1]

    def tokens(self, start: int, end: int) -> tuple[int, int]:
        """The numbers of the first and last token of `text[start:end]`."""
        return bisect_left(self.starts, start), bisect_left(self.starts, end) - 1

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self.starts) - 1


def normalise(folded: str, breaks: Sequence[int] = ()) -> Normal:
    """The token stream of a folded text; `breaks` are offsets (ascending) that no term may run across."""
    if breaks:
        folded = _mark(folded, breaks)
    parts = (_TOKEN if folded.isascii() else _TOKEN_WITH_LIGATURES).split(folded)  # gap, token, gap, token …, gap
    words = [*map(_PADDED.__getitem__, parts[1::2])]
    starts = [*accumulate(map(len, words), initial=0)]
    return Normal("".join(words), starts, [*accumulate(map(len, parts))][:-1])


def _mark(folded: str, breaks: Sequence[int]) -> str:
    """`folded` with a break in place of the blank before each offset, where there is one."""
    pieces: list[str] = []
    at = 0
    for stop in breaks:
        if stop > at and folded[stop - 1].isspace():
            pieces.append(folded[at : stop - 1])
            at = stop
    pieces.append(folded[at:])
    return BREAK.join(pieces)


def term(text: str) -> str:
    """A lexicon term in the same form, ready to be searched for in `Normal.text` ("" when nothing is left)."""
    return "".join(w for w in map(_PADDED.__getitem__, _TOKEN_WITH_LIGATURES.findall(fold(text))) if w != f" {BREAK} ")
