"""Decision making of a visit: stated, or by two of its three elements (AMA/CMS office E/M 2021/2023).

The elements' words are rows of `data/office_em.json`; tests, documents and historians are counted.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from extractors.coding.case import Case, asked
from extractors.coding.clauses import bounds
from extractors.coding.tables import table
from extractors.findings.cues import Cued
from extractors.model import Span

LEVELS = ("straightforward", "low", "moderate", "high")
_STATED = asked(
    r"\b(straightforward|low|moderate|high)(?:[- ](?:complexity|level))? (?:mdm|(?:medical )?decision[- ]making)\b"
    r"|\b(?:mdm|(?:medical )?decision[- ]making)(?: is| was|:| of)? (straightforward|low|moderate|high)\b"
)
_LOOKED_AT = asked(r"\b(?:order(?:ed|s)?|review(?:ed|s)?)\b")
_HISTORIAN = asked(
    r"\bindependent historian|\bhistory (?:is |was )?(?:from|by|given by|obtained from|provided by) (?:the |her |his )?"
    r"(?:daughter|son|mother|father|parents?|wife|husband|spouse|caregiver|sister|brother)"
)
_NOTES = asked(r"\b(?:external|outside|prior|hospital|specialist'?s?)\b[^.;\n]{0,16}\b(?:notes?|records?)\b")
_IMAGES = re.compile(
    r"\b(?:x-?rays?|chest film|cxr|ct|mri|ultrasound|echocardiogram|ekg|ecg|mammogram|spirometry|urinalysis"
    r"|urine culture|stress test)\b"
)


@lru_cache(maxsize=2)  # several rules ask of one text
def by_decision(case: Case) -> tuple[int, Span] | None:
    """The level of decision making, stated or by two of its three elements, and the words that say so."""
    stated = case.first(_STATED) if case.says("mdm", "decision") else None
    if stated:
        return LEVELS.index(stated[1] or stated[2]), stated.span()
    known = [e for e in (_element(case, "problems"), _data(case), _element(case, "risk")) if e is not None]
    if len(known) < 2:
        return None
    level = sorted(known, key=lambda e: -e[0])[1][0]
    return level, (min(e[1][0] for e in known), max(e[1][1] for e in known))


@cache
def _phrases(name: str) -> list[tuple[int, Cued]]:
    """What tells the level of an element, the highest first."""
    said = table("office_em")["elements"][name]
    return [(level, asked(phrase)) for level in (3, 2, 1, 0) for phrase in said.get(LEVELS[level], ())]


def _element(case: Case, name: str) -> tuple[int, Span] | None:
    for level, phrase in _phrases(name):
        if match := next(case.search(phrase), None):
            return level, match.span()
    return None


def _data(case: Case) -> tuple[int, Span] | None:
    """The element of data: its words, or the tests, documents and historians counted; three are moderate."""
    said, counted = _element(case, "data"), _counted(case)
    return max((e for e in (said, counted) if e is not None), key=lambda e: e[0], default=None)


def _counted(case: Case) -> tuple[int, Span] | None:
    historian, notes = next(case.search(_HISTORIAN), None), next(case.search(_NOTES), None)
    items, spans = set[str](), [m.span() for m in (historian, notes) if m is not None]
    for match in case.search(_LOOKED_AT):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        found = {code for code, words in _tests() if words.search(clause)} | set(_IMAGES.findall(clause))
        if found:
            items |= found
            spans.append(match.span())
    count = len(items) + (historian is not None) + (notes is not None)
    if not count or (count == 1 and historian is None):
        return None
    return (2 if count >= 3 else 1), (min(a for a, _ in spans), max(b for _, b in spans))


@cache
def _tests() -> list[tuple[str, re.Pattern[str]]]:
    return [(code, re.compile(words)) for code, words in table("services")["labs"]]
