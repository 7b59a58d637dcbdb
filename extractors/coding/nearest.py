"""The diagnosis that a misspelled or unseen phrase most likely names, of the terms of a lexicon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

from extractors.coding.similar import Similar
from fhir_profiles.systems import ICD10CM

if TYPE_CHECKING:
    from extractors.coding.lexicon import Entry, Lexicon

SPELLED = 0.6
"""Least likeness of a slip: of 2,000 terms with one wrong letter 0.95 were found right there, 0.99 from 0.7 on."""

UNSEEN = 0.75
"""Least likeness of a phrase whose words are all known: it says something else, so it is no more than suggested."""

SLIPS = 2  # letters added, left out, wrong or turned
HARDLY = 0.02  # the score of what must not be accepted
SHORT, WORDS = 7, 8  # letters and words of the terms that are looked among
NOT_HERE = "STVWXY"  # injuries and causes are told by site and encounter, not by one phrase


class Nearest:
    """Immutable; made when the first phrase is asked for."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._words = lexicon.words()
        self._numbers = [n for n, code in lexicon.diagnoses() if code[0] not in NOT_HERE and _fits(lexicon.terms()[n])]
        self._similar = Similar([_plain(lexicon.terms()[n]) for n in self._numbers])

    def __call__(self, phrase: str) -> tuple[Entry, ...]:
        """The meanings of the term most alike, with scores that tell how sure that is; empty where none is alike."""
        unknown = any(word not in self._words for word in phrase.split())
        found = self._similar.best(phrase, SPELLED if unknown else UNSEEN)
        if found is None:
            return ()
        number = self._numbers[found.term]
        meanings = [e for e in self._lexicon.meanings(number) if e.system == ICD10CM]
        if unknown and OSA.distance(phrase, _plain(self._lexicon.terms()[number]), score_cutoff=SLIPS) <= SLIPS:
            return tuple(e._replace(score=round(e.score * found.likeness, 4)) for e in meanings)
        return tuple(e._replace(score=HARDLY) for e in meanings)


def _plain(term: str) -> str:
    return " ".join(term.split())


def _fits(term: str) -> bool:
    return len(term) > SHORT and len(term.split()) <= WORDS
