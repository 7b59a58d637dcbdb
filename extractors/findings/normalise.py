"""One normal form for documents and for lexicon terms, with the way back to the document's offsets.

A text becomes a stream of tokens, each wrapped in its own two spaces (`" chest  pain "`), so that a plain substring
search for a normalised term can only ever hit whole words. Sentence and clause ends become a token of their own,
`BREAK`, which no term contains: a match cannot run across them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from extractors.model import Span

BREAK = "|"
_TOKEN = re.compile(
    r"w/o\b|w/|\d+\.\d+|[a-z0-9\ufb00-\ufb06]+(?:'s\b)?|&|([;:!?\t\f•|]|\.(?=\s|$)|\n\s*\n)",
)
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
    if text.isascii():
        return text.lower()
    return "".join(c if c < "\x80" else _fold_character(c) for c in text).lower() if _safe(text) else _slow(text)


def _safe(text: str) -> bool:
    return "İ" not in text


def _slow(text: str) -> str:
    return "".join(_fold_character(c) if c >= "\x80" else c.lower() for c in text)


@lru_cache(maxsize=65536)
def _word(token: str) -> str:
    """The token's plain form: no possessive, no ligature, no simple plural."""
    if token in _WORDS:
        return _WORDS[token]
    token = token.removesuffix("'s")
    if not token.isascii():
        token = "".join(_LIGATURES.get(c, c) for c in token)
    if len(token) > 4 and token.endswith("s") and not token.endswith(("ss", "us", "is")):
        return token[:-3] + "y" if token.endswith("ies") and len(token) > 5 else token[:-1]
    return token


@dataclass(frozen=True, slots=True)
class Normal:
    """A normalised document: `text` is the token stream, and `span` leads back."""

    text: str
    starts: tuple[int, ...]  # of each token in `text`, its leading space included
    source: tuple[Span, ...]  # of each token in the document

    def span(self, start: int, end: int) -> Span:
        """The document span of `text[start:end]`, which begins and ends with whole tokens."""
        first = bisect_left(self.starts, start)
        last = bisect_left(self.starts, end) - 1
        return self.source[first][0], self.source[last][1]

    def token_at(self, offset: int) -> int:
        """The index of the last token that starts at or before a document offset (-1: none)."""
        return bisect_right(self.source, (offset, 1 << 62)) - 1


def normalise(folded: str, breaks: Sequence[int] = ()) -> Normal:
    """The token stream of a folded text; `breaks` are offsets (ascending) that no term may run across."""
    parts: list[str] = []
    starts: list[int] = []
    source: list[Span] = []
    position = 0
    upcoming = iter(breaks)
    stop = next(upcoming, 1 << 62)
    for match in _TOKEN.finditer(folded):
        start, end = match.span()
        if start >= stop:
            while start >= stop:
                stop = next(upcoming, 1 << 62)
            parts.append(BREAK)
            starts.append(position)
            source.append((start, start))
            position += 3
        word = BREAK if match[1] is not None else _word(match[0])
        parts.append(word)
        starts.append(position)
        source.append((start, end))
        position += len(word) + 2
    return Normal(" " + "  ".join(parts) + " " if parts else "", tuple(starts), tuple(source))


def term(text: str) -> str:
    """A lexicon term in the same form, ready to be searched for in `Normal.text` ("" when nothing is left)."""
    words = [_word(m[0]) for m in _TOKEN.finditer(fold(text)) if m[1] is None]
    return " " + "  ".join(words) + " " if words else ""
