"""What would make a code more specific, as far as the terminology says so: 7th character, side, unspecified.

ICD-10-CM Official Guidelines I.A.4-5, I.B.2, I.B.13, I.B.18 (https://www.cms.gov/medicare/coding-billing/icd-10-codes)
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from fhir_profiles.systems import ICD10CM
from server.review.model import Hint
from terminology import Terminology
from terminology.icd10.advice import meaning, sevenths
from terminology.model import Concept

SHOWN = 12
"""Codes that a hint offers."""

CATEGORY = 3
"""Characters of a category of ICD-10-CM."""

_UNSPECIFIED = re.compile(r"\b(?:unspecified|not specified|NOS)\b", re.IGNORECASE)
_SIDE = re.compile(r"\b(?:right|left|bilateral)\b", re.IGNORECASE)


@lru_cache(maxsize=16_384)
def hints_of(terminology: Terminology, system: str, code: str, on: date | None = None) -> tuple[Hint, ...]:
    """The hints for a code of ICD-10-CM; none for a code of another system, or one that says all there is to say.

    A header tells which codes below it may be billed; a code that leaves the side or the kind open tells those beside
    it that name one. `on` is the day of service.
    """
    concept = terminology.lookup(system, code, on=on) if system == ICD10CM else None
    if concept is None:
        return ()
    if concept.billable is False:
        return (_below(terminology, concept, on),)
    if not (_UNSPECIFIED.search(concept.display) or _SIDE.search(concept.display)):
        return ()
    beside = _beside(terminology, concept, on)
    if not _SIDE.search(concept.display) and (sided := [one for one in beside if _differs_by_side(concept, one)]):
        return (
            Hint("laterality", "The side is not said: right, left or bilateral has its own code.", _offered(sided)),
        )
    if not _UNSPECIFIED.search(concept.display):
        return ()
    named = [one for one in beside if not _UNSPECIFIED.search(one.display)] or _further(terminology, concept, on)
    if not named:
        return ()
    return (Hint("unspecified", "The code is unspecified; beside it stand more specific ones.", _offered(named)),)


def _below(terminology: Terminology, concept: Concept, on: date | None) -> Hint:
    """What a header lacks."""
    children = terminology.children(ICD10CM, concept.code, on=on)
    if sevenths(concept, children) is not None:
        offered = tuple((one.code, meaning(concept, one)) for one in children[:SHOWN])
        return Hint("seventh", "It needs a 7th character.", offered)
    leaves = [one for one in terminology.descendants(ICD10CM, concept.code, on=on) if one.billable]
    return Hint("header", "It is a heading; one of the codes below it can be billed.", _offered(leaves))


def _beside(terminology: Terminology, concept: Concept, on: date | None) -> list[Concept]:
    """The billable codes that share its heading and its 7th character."""
    if concept.parent is None:
        return []
    parent = terminology.lookup(ICD10CM, concept.parent, on=on)
    above = parent.parent if parent is not None and _is_extended(concept) and parent.parent else concept.parent
    last = concept.code[-1] if _is_extended(concept) else ""
    every = terminology.descendants(ICD10CM, above, on=on)
    return [one for one in every if one.billable and one.code != concept.code and one.code.endswith(last)]


def _further(terminology: Terminology, concept: Concept, on: date | None) -> list[Concept]:
    """The specific codes of the whole category, where those of the same heading are all unspecified."""
    every = terminology.descendants(ICD10CM, concept.code[:CATEGORY], on=on)
    return [one for one in every if one.billable and not _UNSPECIFIED.search(one.display)]


def _is_extended(concept: Concept) -> bool:
    return len(concept.code.replace(".", "")) == 7


def _differs_by_side(concept: Concept, other: Concept) -> bool:
    """Whether the two titles are the same but for the side."""
    return bool(_SIDE.search(other.display)) and _plain(concept.display) == _plain(other.display)


def _plain(display: str) -> str:
    """A title without side and without what says that it is not known."""
    words = re.sub(r"\b(?:right|left|bilateral|unspecified|side)\b", " ", display.lower())
    return " ".join(words.replace(",", " ").split())


def _offered(concepts: list[Concept]) -> tuple[tuple[str, str], ...]:
    return tuple((one.code, one.display) for one in concepts[:SHOWN])
