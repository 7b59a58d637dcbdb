"""Compare what was found name by name, where the sets say no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from terminology.model import Concept
from terminology.search.words import telling, words

Accepted = Sequence[tuple[frozenset[str], tuple[str, ...]]]


class Why(StrEnum):
    """How a concept answers a text."""

    CODE = "code"
    NAME = "whole name"
    BEGINNING = "beginning of the title"
    TITLE = "words of the title"
    OTHER_NAME = "words of another name"
    WORDS = "words of several names"


ANSWERED = 2.0  # all slots answered by one name
COVERED = 1.0  # all words of a name asked for
IN_ORDER = 0.4  # the name begins with what was asked first
OTHER_NAME = 0.3  # less for a name that is not the title
RARE = 1.2  # from the likeliest concept to the unlikeliest
HEADER = 0.15


def best_name(display: str, names: Sequence[str], accepted: Accepted) -> tuple[str, Why]:
    """The name that answers a text best, and how."""
    if not accepted:
        return display, Why.TITLE
    scored = [(score(text, accepted) - OTHER_NAME * (i > 0), -i, text) for i, text in enumerate((display, *names))]
    _, place, text = max(scored)
    if answered(text, accepted) < len(accepted):
        return text, Why.WORDS
    if place < 0:
        return text, Why.OTHER_NAME
    first = telling(words(display))[:1]
    return text, Why.BEGINNING if first and _fits(first[0], accepted[0]) else Why.TITLE


def reordered(
    pool: Sequence[int], concepts: Sequence[Concept], names: Mapping[int, Sequence[str]], accepted: Accepted, size: int
) -> list[int]:
    """The pool with the best names first."""
    scores = {}
    for place, (rank, concept) in enumerate(zip(pool, concepts, strict=True)):
        others = (score(text, accepted) - OTHER_NAME for text in names.get(rank, ()))
        best = max((score(concept.display, accepted), *others))
        scores[rank] = best - RARE * rank / size - HEADER * (concept.billable is False) - place / 1000
    return sorted(pool, key=lambda rank: -scores[rank])


def score(text: str, accepted: Accepted) -> float:
    """How well a name answers a text: which parts of the text it has, and how much else."""
    found = telling(words(text))
    if not found:
        return 0.0
    asked = sum(1 for word in found if any(_fits(word, slot) for slot in accepted))
    whole = answered(text, accepted) / len(accepted)
    return ANSWERED * whole + COVERED * asked / len(found) + IN_ORDER * _fits(found[0], accepted[0])


def answered(text: str, accepted: Accepted) -> int:
    """How many parts of the text have a word in a name."""
    found = words(text)
    return sum(1 for slot in accepted if any(_fits(word, slot) for word in found))


def _fits(word: str, slot: tuple[frozenset[str], tuple[str, ...]]) -> bool:
    return word in slot[0] or (bool(slot[1]) and word.startswith(slot[1]))
