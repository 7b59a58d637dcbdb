"""What of a note is sent: all of it when it is short, else the lines around the offers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from extractors.deid.text import Clean
from extractors.model import Span

GAP = "\n[...]\n"
AROUND = 400  # characters before and after the words of an offer, drawn out to whole lines


def to_clean(clean: Clean, start: int, end: int) -> Span:
    """The span of the cleaned text that a span of the original became; a touched stand-in counts as a whole."""
    return _point(clean, start, last=False), _point(clean, end, last=True)


def _point(clean: Clean, at: int, *, last: bool) -> int:
    i = bisect_right(clean.pieces, at - last, key=lambda piece: piece[0]) - 1
    if i < 0:
        return at
    _, end, ours, ours_end = clean.pieces[i]
    if at - last < end:
        return ours_end if last else ours
    return ours_end + (at - end)


def excerpt(text: str, spans: Iterable[Span], most: int) -> str:
    """At most `most` characters of `text`: everything, or the lines around `spans` in their order."""
    if len(text) <= most:
        return text
    kept: list[list[int]] = []
    for start, end in sorted(_lines(text, *span) for span in spans):
        if kept and start <= kept[-1][1]:
            kept[-1][1] = max(kept[-1][1], end)
        else:
            kept.append([start, end])
    out, room = [], most
    for start, end in kept:
        room -= end - start + len(GAP)
        if room < 0:
            break
        out.append(text[start:end])
    return GAP.join(out)


def _lines(text: str, start: int, end: int) -> Span:
    """The span with its surroundings, from the begin of a line to the end of one where that is near."""
    first, last = max(0, start - AROUND), min(len(text), end + AROUND)
    line = text.find("\n", first, start)
    until = text.rfind("\n", end, last)
    return (line + 1 if line >= 0 and first else first), (until if until >= 0 and last < len(text) else last)
