"""Lines and sentences of a clinical text, from plain patterns.

Clinical text is half prose, half list. A line that only wraps is joined to the next; a bullet, a blank line, a header
or a short line is a sentence of its own. "Dr.", "q.d." and "2.5" do not end one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

import msgspec

_BULLET = re.compile(r"\s*(?:[•*◦]|[-+](?=\s)|\(?\d{1,2}[.)](?=\s)|[a-zA-Z][.)](?=\s))\s*")
_AFTER_LETTER = (".", ")")
_HEADER = re.compile(r"\s*[A-Z][A-Za-z0-9/,&'() -]{1,48}?\s*:(?=\s|$)")
_STOP_MARKS = (  # one set of characters in front: the engine skips all others without a try
    r"[.!?\t){}](?:(?<=[.!?])(?=[\"')\]]*\s)|(?<=\t)\t*|(?<=\s\d\))(?=\s)|(?<=\s\d\d\))(?=\s){})"
)
_STOP = re.compile(_STOP_MARKS.format("", ""))
_STOP_OR_GAP = re.compile(_STOP_MARKS.format(" ", r"|(?<=\S ) {3,}(?=\S)"))
_ABBREVIATIONS = frozenset(
    [
        "dr",
        "mr",
        "mrs",
        "ms",
        "prof",
        "st",
        "vs",
        "no",
        "approx",
        "temp",
        "ex",
        "fig",
        "resp",
        "dept",
        "hosp",
        "hx",
        "pt",
        "pts",
        "inc",
        "jr",
        "sr",
        "min",
        "max",
        "avg",
        "est",
        "wt",
        "ht",
        "cf",
        "etc",
        "tab",
        "tabs",
        "cap",
        "caps",
        "ref",
        "exp",
        "sat",
        "sats",
        "incl",
        "esp",
    ]
)
LONGEST = max(map(len, _ABBREVIATIONS)) + 1
FULL = 0.78  # of the longest line: below it a line ended by choice, not for want of room
_ENDS = (".", ":", ";", "!", "?")
_JOINERS = re.compile(r"(?:,|-|/|\b(?:and|or|of|the|with|for|to|in|on|by|a|an|no|not|is|was|are|were|from|at|as))$")


class Sentence(msgspec.Struct, frozen=True, gc=False):
    """A sentence or a list item; `lead` is the index of the line that introduces its list ("Denies:"), else -1."""

    start: int
    end: int
    bullet: bool = False
    lead: int = -1


class Line(msgspec.Struct, frozen=True, gc=False):
    """A printed line without its surrounding blanks; `body` is where the words after a bullet begin."""

    start: int
    end: int
    body: int
    blank_before: bool

    @property
    def bullet(self) -> bool:
        """True when the line begins with a bullet or a number."""
        return self.body > self.start


class Block(msgspec.Struct, frozen=True, gc=False):
    """Lines that belong together: a paragraph, a list item, a row."""

    start: int  # after the bullet
    end: int
    bullet: bool


def split_lines(text: str) -> list[Line]:
    """The lines that hold anything, in order."""
    lines: list[Line] = []
    paged = "\f" in text
    last = at = 0
    for raw in (text.replace("\f", "\n") if paged else text).split("\n"):
        after, at = at, at + len(raw) + 1
        stripped = raw.strip()
        if not stripped:
            continue
        start = after + raw.index(stripped[0])
        end = start + len(stripped)
        bullet = _BULLET.match(stripped) if stripped[1:2] in _AFTER_LETTER or not stripped[0].isalpha() else None
        body = start + bullet.end() if bullet and bullet.end() < len(stripped) else start
        gap = text.count("\n", last, start)
        lines.append(Line(start, end, body, gap > 1 or not lines or (paged and "\f" in text[last:start])))
        last = end
    return lines


def _wraps(text: str, line: Line, following: Line, width: int, listed: Callable[[int], bool]) -> bool:
    """True when `following` continues the sentence of `line`; in a list only a full line does."""
    if following.blank_before or following.bullet or text[line.end - 1] in _ENDS:
        return False
    length = line.end - line.start
    first = text[following.start : following.end].split(None, 1)[0]
    if length + len(first) < FULL * width and not (
        _JOINERS.search(text[max(line.start, line.end - 8) : line.end].lower())
    ):
        return False
    if (length < 60 or not text[following.start].islower()) and listed(line.start):
        return False
    if _HEADER.match(text, following.start, following.end):
        return False
    if text[following.start].islower() or _JOINERS.search(text[max(line.start, line.end - 8) : line.end].lower()):
        return length >= 20 or text[line.end - 1] == ","
    return length >= 50 and not text[line.start : line.end].isupper()


def split_blocks(text: str, lines: Sequence[Line], listed: Callable[[int], bool]) -> list[Block]:
    """The lines with those that only wrap joined to the line they continue; `listed` says where lists stand."""
    blocks: list[Block] = []
    width = max((line.end - line.start for line in lines), default=0)
    i = 0
    while i < len(lines):
        first = last = lines[i]
        while i + 1 < len(lines) and _wraps(text, last, lines[i + 1], width, listed):
            i += 1
            last = lines[i]
        i += 1
        blocks.append(Block(first.body, last.end, first.bullet))
    return blocks


def split_sentences(text: str, folded: str, blocks: Sequence[Block], headers: Sequence[int] = ()) -> list[Sentence]:
    """The sentences in order; `folded` is `normalise.fold(text)`, `headers` (ascending) where sections begin."""
    sentences: list[Sentence] = []
    lead = -1
    for block in blocks:
        if not block.bullet:
            lead = -1
        known = len(sentences)
        at = block.start
        for header in headers[bisect_right(headers, at) : bisect_left(headers, block.end)]:
            _cut(sentences, folded, at, header, block.bullet, lead)
            at = header
        _cut(sentences, folded, at, block.end, block.bullet, lead)
        if not block.bullet and text[block.end - 1] == ":" and len(sentences) > known:
            lead = len(sentences) - 1
    return sentences


def _cut(sentences: list[Sentence], folded: str, start: int, end: int, bullet: bool, lead: int) -> None:
    """Append the sentences of one block of joined lines."""
    at = start
    stops = _STOP_OR_GAP if folded.find("    ", start, end) >= 0 else _STOP
    for match in stops.finditer(folded, start, end):
        stop = match.start()
        mark = folded[stop]
        if mark == ")":  # of a number that leads an item: the sentence ends before it
            stop -= 2 if folded[stop - 2].isdigit() else 1
            if stop < start:
                continue
        if mark == "." and _abbreviates(folded, start, stop):
            continue
        if stop > at:
            sentences.append(Sentence(at, stop + 1 if mark in ".!?" else stop, bullet, lead))
        at = match.end()
        while at < end and not folded[at].isalnum() and folded[at] in " \t\n\"')]":
            at += 1
    if at < end:
        sentences.append(Sentence(at, end, bullet, lead))


def _abbreviates(folded: str, start: int, stop: int) -> bool:
    """True when the dot at `stop` closes an abbreviation: "Dr.", "q.d.", an initial."""
    if stop - LONGEST >= start and folded[stop - LONGEST : stop].isalpha():  # too long a word for one
        return False
    word = folded[max(start, stop - 12) : stop].rsplit(None, 1)[-1:]
    if not word:
        return False
    last = word[0].lstrip("(/\"'[")
    if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()):
        return last != "no" or folded[stop + 1 : stop + 3].strip().isdigit()  # "No. 3", but "he said no."
    return "." in last and all(len(part) <= 3 and part.isalpha() for part in last.split("."))
