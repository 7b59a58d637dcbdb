"""The road of text: identifiers out, stand-ins in, through the gate; and offsets back to the original."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from extractors.deid.find import find_identifiers
from extractors.deid.gate import may_leave
from extractors.deid.identify import Identifiers
from extractors.deid.model import Known, Mention
from extractors.deid.surrogates import Map, Surrogates
from extractors.deid.vocabulary import Vocabulary
from extractors.model import Span


@dataclass(frozen=True, slots=True)
class Clean:
    """A text that may leave. `pieces` are the replaced spans: (start, end) in the original, (start, end) here."""

    text: str
    original: str
    mentions: tuple[Mention, ...]
    pieces: tuple[tuple[int, int, int, int], ...]

    def to_original(self, start: int, end: int) -> Span:
        """The span of the original that a span of this text stands for; a touched stand-in counts as a whole."""
        return self._point(start, last=False), self._point(end, last=True)

    def _point(self, at: int, *, last: bool) -> int:
        i = bisect_right(self.pieces, at - last, key=lambda piece: piece[2]) - 1
        if i < 0:
            return at
        start, end, _, ours_end = self.pieces[i]
        if at - last < ours_end:
            return end if last else start
        return end + (at - ours_end)


def _same_end(printed: str, made: str) -> int:
    """How many characters of whole words both end with, behind a blank: `Hospital`, `Dialysis`."""
    same = 0
    for word, other in zip(reversed(printed.split(" ")[1:]), reversed(made.split(" ")[1:]), strict=False):
        if word != other:
            break
        same += len(word) + 1
    return same


class Road:
    """How the texts about one patient leave: who is known, the words, the key, and the map that remains here."""

    def __init__(self, known: Known, vocabulary: Vocabulary, key: bytes, kept: Map) -> None:
        self.identifiers = Identifiers(known, vocabulary)
        self.map = kept
        self._known, self._vocabulary, self._key = known, vocabulary, key

    def clean(self, text: str) -> Clean:
        """The text with stand-ins; FhirError when the gate still finds somebody."""
        mentions = find_identifiers(text, self.identifiers, self._vocabulary)
        surrogates = Surrogates(self._key, self._known, self.map, self._vocabulary, text)
        out: list[str] = []
        pieces: list[tuple[int, int, int, int]] = []
        at = length = 0
        for mention in mentions:
            made = surrogates.of(mention, text)
            out += (text[at : mention.start], made)
            length += mention.start - at
            same = _same_end(text[mention.start : mention.end], made)
            pieces.append((mention.start, mention.end - same, length, length + len(made) - same))
            length += len(made)
            at = mention.end
        cleaned = may_leave("".join((*out, text[at:])), self.identifiers)
        return Clean(cleaned, text, tuple(mentions), tuple(pieces))
