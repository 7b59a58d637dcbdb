"""Abbreviations with more than one meaning, told apart by the words around them: "MS" on interferon or with a murmur.

A cue in the same sentence counts more than one elsewhere in the document; where the document writes a meaning out,
that is the one it uses. Without any cue it means what it usually does; where it has no usual meaning, nothing.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from extractors.findings.lexicon import Entry, Hit, Lexicon
from extractors.findings.reading import Reading

NEAR, WRITTEN_OUT, FAR = 6, 4, 1


class Meaning(NamedTuple):
    """What an abbreviation may mean (None: nothing that is coded), and what speaks for it."""

    means: str | None
    cues: tuple[str, ...]
    usual: bool


class Meant(msgspec.Struct, frozen=True, gc=False):
    """A hit by way of an abbreviation."""

    start: int
    end: int
    entries: tuple[Entry, ...]


@cache
def table() -> dict[str, tuple[Meaning, ...]]:
    """Abbreviation → its meanings."""
    read = json.loads(files("extractors.findings").joinpath("short.json").read_text("utf-8"))
    return {
        short: tuple(Meaning(m["means"], tuple(m["cues"]), m.get("usual", False)) for m in meanings)
        for short, meanings in read.items()
    }


@cache
def _pattern() -> re.Pattern[str]:
    """Whole words of the letters and the length that abbreviations have: far cheaper than to name each of them."""
    letters = "".join(sorted({letter for short in table() for letter in short}))
    least, most = min(map(len, table())) - 1, max(map(len, table())) - 1
    return re.compile(rf"[{letters}](?<![\w-][{letters}])[{letters}]{{{least},{most}}}(?![\w-])")


def read_short(reading: Reading, hits: Sequence[Hit], lexicon: Lexicon) -> list[Hit]:
    """The hits with those of abbreviations put right: added, replaced or taken out as the context says."""
    met = (m for m in _pattern().finditer(reading.text) if m[0] in table())
    found = [m for m in met if not _shouted(reading.text, *m.span())]
    if not found:
        return list(hits)
    starts = [sentence.start for sentence in reading.sentences]
    meant: dict[tuple[int, int], tuple[Entry, ...] | None] = {}
    for match in found:
        i = bisect_right(starts, match.start()) - 1
        sentence = reading.sentences[i] if i >= 0 else None
        near = reading.folded[sentence.start : sentence.end] if sentence else ""
        meaning = choose(table()[match[0]], near, reading.folded)
        if meaning is not None:
            meant[match.span()] = lexicon.entries(meaning.means) if meaning.means else None
    kept = [hit for hit in hits if (hit.start, hit.end) not in meant]
    added = [
        Meant(*span, entries)
        for span, entries in meant.items()
        if entries and not any(hit.start < span[1] and span[0] < hit.end for hit in kept)
    ]
    return sorted([*kept, *added], key=lambda hit: hit.start)


def choose(meanings: Sequence[Meaning], near: str, whole: str) -> Meaning | None:
    """The meaning that most speaks for; None where nothing does, or two do alike."""
    scores = sorted(((_score(meaning, near, whole), n) for n, meaning in enumerate(meanings)), reverse=True)
    best, number = scores[0]
    if best <= 0 or (len(scores) > 1 and scores[1][0] == best):
        return None
    return meanings[number]


def _score(meaning: Meaning, near: str, whole: str) -> float:
    score = 0.5 if meaning.usual else 0.0
    if meaning.means and meaning.means in whole:
        score += WRITTEN_OUT
    for cue in meaning.cues:
        if cue in near:
            score += NEAR
        elif cue in whole:
            score += FAR
    return score


def _shouted(text: str, start: int, end: int) -> bool:
    """True within a run of capitals, where "AS" is a word."""
    around = f"{text[max(0, start - 12) : start]}{text[end : end + 12]}"
    letters = [c for c in around if c.isalpha()]
    return len(letters) > 8 and sum(c.isupper() for c in letters) > 0.8 * len(letters)
