"""What the findings need of the lexicon; `extractors.coding.lexicon.Lexicon` is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from extractors.findings.normalise import Normal


class Entry(Protocol):
    """A meaning of a phrase: a concept, what kind of term names it and how surely (0–1)."""

    @property
    def system(self) -> str: ...  # noqa: D102
    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def score(self) -> float: ...  # noqa: D102


class Hit(Protocol):
    """A phrase of the lexicon in a text, with its meanings, best first."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102
    @property
    def entries(self) -> tuple[Entry, ...]: ...  # noqa: D102


class Lexicon(Protocol):
    """The compiled matcher: phrases of all loaded code systems, and what their codes mean."""

    def find(self, text: str | Normal) -> Sequence[Hit]:
        """The phrases in a text (or one already in normal form), in order, none overlapping, whole words only."""
        ...

    def entries(self, phrase: str) -> tuple[Entry, ...]:
        """The meanings of one phrase."""
        ...

    def alike(self, phrase: str) -> Sequence[Entry]:
        """The meanings of the term that is spelled most like a phrase which is none; empty where none is alike."""
        ...

    def display(self, system: str, code: str) -> str | None:
        """The display of a code; None when the system does not hold it."""
        ...

    def has_code(self, system: str, code: str) -> bool:
        """True when the loaded system holds the code."""
        ...

    def everyday(self, system: str, code: str) -> bool:
        """True when our own table holds the code, so that it is taken for one without a word beside it."""
        ...
