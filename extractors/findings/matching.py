"""Mentions: where the document says a phrase of the lexicon.

`Lexicon` is what the findings need of `extractors.coding.lexicon.Lexicon`; it is built from phrases normalised by
`extractors.findings.normalise.term`, so its automaton runs over `Normal.text` as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from extractors.findings.normalise import Normal


class Entry(Protocol):
    """A concept that a phrase names; `kind` is title, inclusion, synonym, abbreviation or label."""

    @property
    def system(self) -> str: ...  # noqa: D102
    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def score(self) -> float: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102


class Lexicon(Protocol):
    """The compiled matcher data."""

    def matches(self, text: str) -> list[tuple[int, int, tuple[Entry, ...]]]:
        """Leftmost-longest matches in a normalised text: start, end, the concepts that the phrase names."""
        ...

    def has_code(self, system: str, code: str) -> bool:
        """True when the code exists in the loaded system (codes as printed in tables, with their dot)."""
        ...


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase of the lexicon in the document."""

    start: int
    end: int
    entries: tuple[Entry, ...]


def find_mentions(normal: Normal, lexicon: Lexicon) -> list[Mention]:
    """All mentions in reading order, none overlapping."""
    found = []
    for start, end, entries in lexicon.matches(normal.text):
        a, b = normal.span(start, end)
        found.append(Mention(a, b, entries))
    return found
