"""Plain words that a pattern cannot do without: found in one pass, and only around them is the pattern tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation

REACH = 160


@dataclass(frozen=True, slots=True)
class Places:
    """Where each cue stands in one folded text."""

    folded: str
    starts: dict[str, list[int]]

    def of(self, cues: Iterable[str]) -> list[int]:
        """The places of these cues, in order."""
        return sorted(start for cue in cues if cue in self.starts for start in self.starts[cue])

    def near(self, pattern: re.Pattern[str], cues: Iterable[str], lead: int) -> Iterator[re.Match[str]]:
        """The first match around each place, from `lead` characters before it."""
        for at in self.of(cues):
            match = pattern.search(self.folded, max(0, at - lead), at + REACH)
            if match is not None:
                yield match


def _start(hit: tuple[int, int, int]) -> int:
    return hit[1]


class Cues:
    """A set of cues with its matcher."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(set(words))
        self._automaton = AhoCorasick(self._words, implementation=Implementation.ContiguousNFA)

    def beginning(self, pattern: re.Pattern[str], folded: str) -> Iterator[re.Match[str]]:
        """The matches of a pattern each of whose matches begins with a cue."""
        at = 0
        for _, start, _ in sorted(self._automaton.find_matches_as_indexes(folded, overlapping=True), key=_start):
            if start >= at and (match := pattern.match(folded, start)):
                yield match
                at = match.end()

    def places(self, folded: str) -> Places:
        """Every cue in a text, those within another among them."""
        starts: dict[str, list[int]] = {}
        for number, start, _ in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            starts.setdefault(self._words[number], []).append(start)
        return Places(folded, starts)
