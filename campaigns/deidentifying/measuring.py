"""How much of the gold is covered, and how much of what is covered is gold, by character."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from campaigns.deidentifying.making import Note
from extractors.deid.find import find_identifiers
from extractors.deid.identify import Identifiers
from extractors.deid.known import known_from
from extractors.deid.model import Mention
from extractors.deid.vocabulary import Vocabulary


@dataclass
class Score:
    """Counts of alphanumeric characters; `missed` and `extra` are examples."""

    covered: Counter[str] = field(default_factory=Counter)
    gold: Counter[str] = field(default_factory=Counter)
    found: int = 0
    right: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float:
        """Over all kinds."""
        return sum(self.covered.values()) / max(1, sum(self.gold.values()))

    @property
    def precision(self) -> float:
        """Of the characters found."""
        return self.right / max(1, self.found)

    def of(self, kind: str) -> float:
        """Recall of one kind."""
        return self.covered[kind] / max(1, self.gold[kind])


def find(note: Note, vocabulary: Vocabulary) -> list[Mention]:
    """The identifiers found in a note whose patient is known."""
    return find_identifiers(note.text, Identifiers(known_from([note.patient]), vocabulary), vocabulary)


def count(score: Score, note: Note, mentions: list[Mention]) -> None:
    """Add one note."""
    text = note.text
    found = {i for m in mentions for i in range(m.start, m.end) if text[i].isalnum()}
    gold: set[int] = set()
    for start, end, kind in note.gold:
        letters = {i for i in range(start, end) if text[i].isalnum()}
        gold |= letters
        score.gold[kind] += len(letters)
        score.covered[kind] += len(letters & found)
        if letters - found:
            marked = "".join(c if i in found else c.upper() + "!" for i, c in enumerate(text[start:end], start))
            score.missed[f"{kind}: {text[max(0, start - 25) : start]}[{marked}]{text[end : end + 15]}"] += 1
    score.found += len(found)
    score.right += len(found & gold)
    for m in mentions:
        if not set(range(m.start, m.end)) & gold:
            score.extra[
                f"{m.kind}: {text[max(0, m.start - 20) : m.start]}[{text[m.start : m.end]}]{text[m.end : m.end + 15]}"
            ] += 1
