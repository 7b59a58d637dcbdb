"""Plain words that patterns cannot do without: all found in one pass, and only where they stand is a pattern tried."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

from extractors.findings.needed import needed

REACH = 160
OFTEN = 64  # texts after which new words are taken up at the latest
MOST = 50_000  # questions that are kept; further ones are answered by a search of their own


class Seen:
    """Which words of a vocabulary one text holds, and where each begins; which of the questions have one of these."""

    __slots__ = ("_all", "known", "size", "starts", "text", "true")

    def __init__(self, text: str, known: frozenset[str], starts: dict[str, list[int]], size: int, true: frozenset[int]):
        self.text = text
        self.known = known
        self.starts = starts
        self.size = size  # questions that `true` knows of; later ones are answered one by one
        self.true = true
        self._all: dict[int, list[int]] = {}

    def may(self, cued: Cued) -> bool:
        """False when the pattern cannot match, for none of its words is there."""
        if cued.number >= self.size or cued.needs >= self.size:
            return not cued.words or self.any(cued.words)
        return cued.number in self.true and cued.needs in self.true

    def between(self, cued: Cued, low: int, high: int) -> bool:
        """False when the pattern cannot match within these bounds, for none of its words begins there."""
        if cued.number >= self.size or not cued.words:
            return True
        if cued.number not in self.true:
            return False
        places = self._all.get(cued.number)
        if places is None:
            places = self._all[cued.number] = self.of(cued.words)
        at = bisect_left(places, low)
        return at < len(places) and places[at] < high

    def first(self, cued: Cued) -> re.Match[str] | None:
        """The first match of a pattern."""
        return cued.pattern.search(self.text) if self.may(cued) else None

    def any(self, words: Iterable[str]) -> bool:
        """True when one of the words is in the text."""
        text = self.text
        return any(word in text for word in words)

    def places(self, word: str) -> list[int]:
        """Where a word begins; one within itself counts again."""
        starts = self.starts.get(word)
        if starts is None:
            if word in self.known:
                return []
            starts, at = [], self.text.find(word)
            while at >= 0:
                starts.append(at)
                at = self.text.find(word, at + 1)
            self.starts[word] = starts
        return starts

    def of(self, cues: Iterable[str]) -> list[int]:
        """The places of these words, in order."""
        starts, known = self.starts, self.known
        found: list[int] = []
        for cue in cues:  # a plain loop: of many words most are not there
            if cue in starts or cue not in known:
                found += self.places(cue)
        found.sort()
        return found

    def near(self, pattern: re.Pattern[str], cues: Iterable[str], lead: int) -> Iterator[re.Match[str]]:
        """The first match around each place, from `lead` characters before it."""
        for at in self.of(cues):
            match = pattern.search(self.text, max(0, at - lead), at + REACH)
            if match is not None:
                yield match

    def each(self, cued: Cued) -> Iterator[re.Match[str]]:
        """The matches of a pattern, in order, none overlapping."""
        if not self.may(cued):
            return iter(())
        return self._beginning(cued) if cued.begins else cued.pattern.finditer(self.text)

    def _beginning(self, cued: Cued) -> Iterator[re.Match[str]]:
        at = 0
        for start in self.of(cued.words):
            if start >= at and (match := cued.pattern.match(self.text, start)):
                yield match
                at = match.end()


class _Built(NamedTuple):
    """The matcher of the words that were asked for so far."""

    automaton: AhoCorasick
    words: list[str]
    known: frozenset[str]
    asking: list[frozenset[int]]  # of each word: the questions that it answers
    always: frozenset[int]  # questions without words
    size: int


class Vocabulary:
    """The words that a stage asks its texts for. It grows as patterns are met; reading a text finds all of them."""

    def __init__(self) -> None:
        self._questions: dict[tuple[str, ...], int] = {}
        self._built: _Built | None = None
        self._wait = self._left = 1

    def question(self, words: tuple[str, ...]) -> int:
        """The number of the question whether one of these words is in a text; without words it always may be."""
        number = self._questions.get(words)
        if number is None:
            number = len(self._questions)
            if number < MOST:
                self._questions[words] = number
        return number

    def says(self, seen: Seen, words: tuple[str, ...]) -> bool:
        """True when the text has one of the words."""
        number = self.question(words)
        return number in seen.true if number < seen.size else seen.any(words)

    def read(self, text: str) -> Seen:
        """What of the vocabulary stands in a text."""
        built = self._built
        if built is None or built.size < len(self._questions):
            self._left -= 1
            if self._left < 0:  # the first text does without, and each time more of them must come to pay for it
                self._wait = self._left = min(2 * self._wait, OFTEN)
                built = self._built = _build(dict(self._questions))
        if built is None:
            return Seen(text, frozenset(), {}, 0, frozenset())
        starts: dict[str, list[int]] = {}
        met: list[int] = []
        for number, start, _ in built.automaton.find_matches_as_indexes(text, overlapping=True):
            word = built.words[number]
            if word in starts:
                starts[word].append(start)
            else:
                starts[word] = [start]
                met.append(number)
        return Seen(text, built.known, starts, built.size, built.always.union(*[built.asking[n] for n in met]))


FOLDED = Vocabulary()  # what the finders look for in folded texts


def _build(questions: dict[tuple[str, ...], int]) -> _Built:
    asking: dict[str, list[int]] = {}
    for cues, number in questions.items():
        for word in cues:
            asking.setdefault(word, []).append(number)
    words = list(asking)
    always = frozenset(number for cues, number in questions.items() if not cues)
    # a full automaton (DFA) is quicker by itself, but pushes all else out of the cache: 5 % slower over a whole note
    automaton = AhoCorasick(words, implementation=Implementation.ContiguousNFA)
    return _Built(automaton, words, frozenset(words), [*map(frozenset, asking.values())], always, len(questions))


@dataclass(frozen=True, slots=True, eq=False)
class Cued:
    """A pattern and the words one of which is in each of its matches; without words it is tried on every text."""

    pattern: re.Pattern[str]
    words: tuple[str, ...]
    number: int  # of the question for the words, in its vocabulary
    needs: int  # of that for the words that the pattern itself cannot do without
    begins: bool = False  # each match begins with one of the words


def cued(pattern: str, vocabulary: Vocabulary, *, begins: Iterable[str] = (), around: Iterable[str] = ()) -> Cued:
    """A pattern whose words join a vocabulary: what its matches begin with, are near to, or cannot do without."""
    first = tuple(begins)
    needs = needed(pattern)
    words = first or tuple(around) or needs
    asked = vocabulary.question(words), vocabulary.question(needs)
    return Cued(re.compile(pattern), words, *asked, begins=bool(first))
