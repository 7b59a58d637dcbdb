"""Terms in a text, leftmost and longest: by search among the sorted terms at first, by an automaton once that pays.

The automaton over a hundred thousand terms takes longer to build than a few notes take to read without one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from os.path import commonprefix

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

ENOUGH = 300_000  # characters: by then searching has cost what building does


class Matcher:
    """Terms in the form of `extractors.findings.normalise`, sorted; each begins and ends with a blank."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._terms = terms
        self._longest = max(map(len, terms), default=0)
        self._left = ENOUGH
        self._automaton: AhoCorasick | None = None

    def prepare(self) -> None:
        """Build the automaton now: for who has many texts to read."""
        if self._automaton is None:
            self._automaton = AhoCorasick(
                self._terms,
                matchkind=MatchKind.LeftmostLongest,
                implementation=Implementation.ContiguousNFA,
                store_patterns=False,
            )

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """(number of the term, start, end) of the terms in a text, in order, none overlapping."""
        if self._automaton is None:
            self._left -= len(text)
            if self._left >= 0:
                return self._search(text)
            self.prepare()
        assert self._automaton is not None
        return self._automaton.find_matches_as_indexes(text)

    def _search(self, text: str) -> list[tuple[int, int, int]]:
        found: list[tuple[int, int, int]] = []
        at = 0
        while at < len(text):
            number = self._prefix(text[at : at + self._longest])
            end = text.find(" ", at + 1) + 1
            if number is not None:
                end = at + len(self._terms[number])
                found.append((number, at, end))
            at = end or len(text)
        return found

    def _prefix(self, text: str) -> int | None:
        """The longest term that the text begins with: in sorted order none that is longer lies before it."""
        number = len(self._terms)
        while text:
            number = bisect_right(self._terms, text, 0, number) - 1
            if number < 0:
                return None
            term = self._terms[number]
            if text.startswith(term):
                return number
            text = commonprefix((text, term))  # noqa: RUF071 - characters are meant
        return None
