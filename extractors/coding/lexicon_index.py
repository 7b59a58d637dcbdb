"""What a loaded Alphabetic Index adds to the lexicon: the ways in which its entries are said in a note.

It never takes a phrase from a title, an inclusion term or our own table, and a phrase that it gives to two codes means
neither. https://www.cdc.gov/nchs/icd/icd-10-cm/files.html
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from extractors.findings.normalise import term as normal_term
from fhir_profiles.systems import ICD10CM
from terminology import Terminology
from terminology.search.inverted import inverted

MOST = 400_000
"""Phrases taken from an index; the official one gives fewer."""

STEM = 5
DOUBTFUL = 0.6
"""Of the score of a phrase: that of one word which the title of its code does not share."""
LEAST = 6
"""Characters of a term in normal form, its two blanks among them: shorter ones are common words and other meanings."""


def index_phrases(
    terminology: Terminology, leaves: Mapping[str, str], titles: Mapping[str, str], known: Container[str]
) -> dict[str, tuple[str, float]]:
    """Phrase in normal form → (billable code, share of the usual score), of what `known` does not hold.

    `leaves` gives the billable code of each code that has one, itself or below it; `titles` are those of all codes.
    """
    found: dict[str, tuple[str, float] | None] = {}
    stems: dict[str, frozenset[str]] = {}
    for phrase, leaf in _entries(terminology, leaves):
        folded = normal_term(phrase)
        if len(folded) < LEAST or folded in known:
            continue
        met = found.get(folded, (leaf, 0.0))
        if met is None or met[0] != leaf:
            found[folded] = None
            continue
        if leaf not in stems:
            stems[leaf] = _stems(titles.get(leaf, ""))
        shared = len(folded.split()) > 1 or bool(_stems(folded) & stems[leaf])
        found[folded] = (leaf, 1.0 if shared else DOUBTFUL)
        if len(found) >= MOST:
            break
    return {phrase: meaning for phrase, meaning in found.items() if meaning is not None}


def _entries(terminology: Terminology, leaves: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(phrase, billable code) of every entry, external causes left out: their words are too common."""
    for name in terminology.terms(ICD10CM):
        if name.kind == "index" and name.code[0] not in "VWXY" and (leaf := leaves.get(name.code)) is not None:
            for phrase in inverted(name.text):
                yield phrase, leaf


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:STEM] for word in normal_term(text).split())
