"""Titles by what they ask for: the billable code of a category all of whose words a clause has (I.B.2)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from extractors.coding.tables import table
from terminology.folding import fold

_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_DENIED = re.compile(
    r"\b(?:without|not|no)\b.*?"
    r"(?= with | of (?:right|left|bilateral) |, (?:right|left|bilateral|recurrent|mild|moderate|severe|intractable)|$)"
)
_BOTH = re.compile(r"\b(?:both (\w+) and (\w+)|(gallbladder) and (bile duct)|(acute) and (chronic))")
_ALTERNATIVE = re.compile(r"\bwithout\b|\bnot\b|\bno\b|,| or | and ")
_EITHER = re.compile(r"\b(\w+) (?:or|and) ([\w ]+?)(?=,|$| of | with | in )")
_UNSAID_KIND = re.compile(r"\bchronic or unspecified |, unspecified as (?:acute or chronic|[\w ]+? or [\w ]+?)(?=,|$)")
_SEVENTH = re.compile(r", (?:initial|subsequent) encounter.*$|, sequela$")
Needed = tuple[frozenset[str], ...]  # each set is met by any of its words


_OPEN = ("unspecified", "without", "asymptomatic", "uncomplicated")


class Title(NamedTuple):
    """A billable code with what its title asks for and denies. `open` titles leave something unsaid."""

    code: str
    needed: Needed
    words: frozenset[str]
    open: bool
    denied: Needed = ()


class Titles:
    """The titles of some codes, each under every word of its rarest need."""

    def __init__(self, codes: Iterable[tuple[str, str]]) -> None:
        titles = [read_title(code, text) for code, text in codes]
        common = Counter(word for t in titles for word in t.words)
        self._under: defaultdict[str, list[Title]] = defaultdict(list)
        for title in titles:
            if title.needed:
                rarest = min(title.needed, key=lambda need: (sum(common[w] for w in need), sorted(need)))
                for word in rarest:
                    self._under[word].append(title)

    def fitting(self, words: frozenset[str]) -> list[Title]:
        """The titles whose every need is met."""
        found: dict[str, Title] = {}
        for word in words:
            for title in self._under.get(word, ()):
                for need in title.needed:  # plain loops: every accepted code comes through here
                    if need.isdisjoint(words):
                        break
                else:
                    found[title.code] = title
        return [found[code] for code in sorted(found)]


@lru_cache(maxsize=20_000)
def read_title(code: str, text: str) -> Title:
    """What a title asks for: its words but those that say nothing, that it denies, or that stand in brackets."""
    low = _UNSAID_KIND.sub("", _SEVENTH.sub("", _ASIDE.sub(" ", text.lower().replace("-", " "))))
    low = _BOTH.sub(lambda m: ", ".join(filter(None, m.groups())), low)
    said = _DENIED.sub(" ", low)
    denied = [content(part) for phrase in _DENIED.findall(low) for part in _ALTERNATIVE.split(phrase)]
    needed: list[frozenset[str]] = []
    for first, second in _EITHER.findall(said):
        pair = content(f"{first} {second}")
        if content(first) and content(second):
            needed.append(pair)
    paired = frozenset(w for pair in needed for w in pair)
    needed += [frozenset({w}) for w in sorted(content(said) - paired)]
    return Title(code, tuple(needed), content(said), any(w in low for w in _OPEN), tuple(filter(None, denied)))


@lru_cache(maxsize=20_000)
def content(text: str) -> frozenset[str]:
    """The folded words of a text that say something."""
    return frozenset(fold(text).split()) - _empty()


def meant(text: str) -> frozenset[str]:
    """The words of a clause and those by which titles say the same."""
    words = content(text.replace("-", " "))
    means = _means()
    return words.union(*(means[w] for w in words if w in means))


def met(title: Title, words: frozenset[str]) -> int:
    """How many needs of a title these words meet."""
    count = 0
    for need in title.needed:
        if not need.isdisjoint(words):
            count += 1
    return count


_BILATERAL = frozenset({"bilateral"})


def best(titles: Sequence[Title], words: frozenset[str], asserted: frozenset[str], near: str = "") -> Title | None:
    """The title that meets most and says all that was asserted; of equals the nearest to a code, then an open one."""
    fitting = [t for t in titles if asserted <= t.words]
    return max(
        fitting,
        key=lambda t: (
            met(t, words),
            len(t.words & words & _BILATERAL),
            len(t.words & words),
            _alike(t.code, near),
            -len(t.words),
            t.open,
            t.code,
        ),
        default=None,
    )


def _alike(code: str, near: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(code, near, strict=False)) if a != b), min(len(code), len(near)))


@cache
def _means() -> dict[str, frozenset[str]]:
    return {fold(word): frozenset(fold(said).split()) for word, said in table("wording")["means"].items()}


@cache
def _empty() -> frozenset[str]:
    return frozenset(table("wording")["empty"].split())
