"""All identifiers of a text: the known, the shapes and the people, joined so that none overlap."""

from __future__ import annotations

import re
from dataclasses import replace

from extractors.deid.identify import Identifiers
from extractors.deid.model import Mention
from extractors.deid.names import find_names
from extractors.deid.rules import find_shapes
from extractors.deid.vocabulary import Vocabulary

_FIRST = ("email", "url", "phone", "date", "address", "id", "ip", "zip", "age", "name", "place")
_MISREAD = re.compile(
    r"\b[A-Za-z]+(?:[015][A-Za-z]+)+\b|\b0[A-Za-z]{3,}\b|\b[A-Z][a-z]{2,}[015]\b|\b[A-Z]{2,}[015]\b(?=[ ,][A-Z])"
)
_READ = str.maketrans({"0": "o", "1": "l", "5": "s"})

_NAME = _FIRST.index("name")  # a name and a place rank alike: the longer one counts


def find_identifiers(text: str, identifiers: Identifiers, vocabulary: Vocabulary) -> list[Mention]:
    """The mentions in order, none overlapping: the known first, then by kind, then the longer."""
    found = identifiers.find(text) + find_shapes(text, vocabulary) + find_names(_letters_read(text), vocabulary)
    found.sort(key=lambda m: (not m.known, min(_FIRST.index(m.kind), _NAME), m.start - m.end, m.start))
    return [trimmed for m in settle(found) if (trimmed := _trimmed(text, m)) is not None]


def _letters_read(text: str) -> str:
    """The text with digits that a scanner reads for letters put right where letters stand around; offsets stay."""
    return _MISREAD.sub(lambda m: m[0].translate(_READ) if sum(map(str.isalpha, m[0])) > 2 else m[0], text)


def settle(found: list[Mention]) -> list[Mention]:
    """Mentions by rank made to overlap nowhere; of a later one what sticks out of an earlier stays covered."""
    kept: list[Mention] = []
    for mention in found:
        pieces = [mention]
        for other in kept:
            pieces = [rest for piece in pieces for rest in _without(piece, other)]
        kept += pieces
    return sorted(kept, key=lambda m: m.start)


def _without(piece: Mention, other: Mention) -> list[Mention]:
    if piece.end <= other.start or other.end <= piece.start:
        return [piece]
    return [
        Mention(start, end, piece.kind, piece.known)
        for start, end in ((piece.start, other.start), (other.end, piece.end))
        if start < end
    ]


def _trimmed(text: str, mention: Mention) -> Mention | None:
    """Without what is neither letter nor digit at its ends; None when nothing is left."""
    start, end = mention.start, mention.end
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return replace(mention, start=start, end=end) if start < end else None
