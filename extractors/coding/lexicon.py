"""The compiled matcher that pages (repair), findings (spans) and coding (candidates) share.

Built once from a Terminology and kept beside it under a name that carries the editions' content; loading reads one
file and builds the automaton. Terms are in the normal form of `extractors.findings.normalise`.
"""

from __future__ import annotations

import gc
import hashlib
import marshal
import os
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from extractors.coding import lexicon_build
from extractors.coding.excludes import Excludes, excluded_by, joined
from extractors.coding.matcher import Matcher
from extractors.coding.nearest import Nearest
from extractors.coding.resolve import Injuries, Rarest, best_injury, by_rarest
from extractors.coding.sites import Sites
from extractors.coding.titles import Titles
from extractors.findings.normalise import Normal, fold, normalise
from extractors.findings.normalise import term as normal_term
from fhir_profiles.systems import ICD10CM, RXNORM
from terminology import Terminology


class Entry(NamedTuple):
    """One meaning of a term; `score` is 0–1.

    `kind`: curated, learned, title, inclusion, index, synonym, label, or name. A `name` is a drug without an identifier
    of ours: its `code` is `""`, and `class` is found by `drug_class`.
    """

    system: str
    code: str
    kind: str
    score: float


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A phrase of the lexicon in a text: offsets, and its meanings, best first."""

    start: int
    end: int
    entries: tuple[Entry, ...]


class Lexicon:
    """Immutable; share it between threads, and between processes by fork."""

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        systems: list[str] = compiled["systems"]
        kinds: list[str] = compiled["kinds"]
        self.editions: Mapping[str, str] = compiled["editions"]
        self._terms: list[str] = compiled["terms"]
        self._meanings: list[tuple[tuple[int, str, int, float], ...]] = compiled["meanings"]
        self._systems, self._kinds = systems, kinds
        self._displays: Mapping[str, Mapping[str, str]] = compiled["displays"]
        self._leaves: Mapping[str, str] = compiled["leaves"]
        self._ours: Mapping[str, str] = compiled["ours"]
        self._injuries: Injuries = compiled["injuries"]
        self._rarest: dict[str, Rarest] = {}
        self._sides: Mapping[str, Mapping[str, str]] = compiled["sides"]
        self._sites: Sites = compiled["sites"]
        self._notes: Mapping[str, Excludes] = {kind: compiled[kind] for kind in lexicon_build.NOTES}
        self._named: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
        self._trimesters: Mapping[str, list[str | None]] = compiled["trimesters"]
        self._classes: Mapping[str, str] = compiled["classes"]
        self._properties: Mapping[str, Mapping[str, Mapping[str, str]]] = compiled["properties"]
        self._ordered: Sequence[str] = compiled["billable"]
        self._billable: frozenset[str] = frozenset(self._ordered)
        self._titles: dict[tuple[str, str], Titles] = {}
        self._entries: dict[int, tuple[Entry, ...]] = {}
        self._matcher = Matcher(self._terms)
        self._nearest: Nearest | None = None

    @classmethod
    def open(cls, terminology: Terminology, cache: Path | str | None = None) -> Lexicon:
        """The lexicon of these editions; `cache` (the data directory) keeps it for the next process."""
        if cache is None:
            return cls(lexicon_build.compile_terms(terminology))
        path = Path(cache) / "terminology" / f"lexicon-{_fingerprint(terminology)}.bin"
        enabled = gc.isenabled()
        gc.disable()  # a hundred thousand tuples are made here; collecting among them doubles the time
        try:
            if not path.exists():
                _write(path, marshal.dumps(lexicon_build.compile_terms(terminology)))
            return cls(marshal.loads(path.read_bytes()))  # noqa: S302 - our own cache in the operator's data directory
        finally:
            if enabled:
                gc.enable()

    def prepare(self) -> None:
        """Make ready for many texts, and for sharing by fork."""
        self._matcher.prepare()

    def find(self, text: str | Normal) -> list[Hit]:
        """The phrases in a text (or in one already in normal form), in order, none overlapping, whole words only."""
        normal = normalise(fold(text)) if isinstance(text, str) else text
        return [Hit(*normal.span(a, b), entries) for a, b, entries in self.matches(normal.text)]

    def matches(self, text: str) -> list[tuple[int, int, tuple[Entry, ...]]]:
        """Leftmost-longest terms in a text in the form of `extractors.findings.normalise`: start, end, meanings."""
        meanings = self.meanings
        return [(a, b, meanings(term)) for term, a, b in self._matcher.find(text)]

    def terms(self) -> Sequence[str]:
        """Its terms in normal form, sorted; their numbers are those of `meanings`."""
        return self._terms

    def diagnoses(self) -> Iterable[tuple[int, str]]:
        """(number of a term, its likeliest code) of the terms that name a diagnosis."""
        system = self._systems.index(ICD10CM)
        for number, meanings in enumerate(self._meanings):
            code = next((code for s, code, _, _ in meanings if s == system), None)
            if code is not None:
                yield number, code

    def words(self) -> frozenset[str]:
        """Every word of its terms, in normal form."""
        return frozenset(word for term in self._terms for word in term.split() if word.isalpha())

    def entries(self, phrase: str) -> tuple[Entry, ...]:
        """The meanings of a phrase as a whole; empty when it is no term."""
        term = normal_term(phrase)
        number = bisect_left(self._terms, term)
        return self.meanings(number) if number < len(self._terms) and self._terms[number] == term else ()

    def ours(self, phrase: str) -> str | None:
        """Our own code of a phrase to which case reports mostly give another; an encounter takes ours ("": none)."""
        return self._ours.get(_term_of(phrase))

    def alike(self, phrase: str) -> tuple[Entry, ...]:
        """The diagnoses of the term that is spelled most like a phrase which is none.

        As sure as the term itself where the phrase has an unknown word and is a slip or two away; else hardly sure, so
        that it is suggested at most.
        """
        if self._nearest is None:
            self._nearest = Nearest(self)
        return self._nearest(" ".join(normal_term(phrase).split()))

    def meanings(self, term: int) -> tuple[Entry, ...]:
        """The meanings of a term by its number."""
        entries = self._entries.get(term)
        if entries is None:
            entries = tuple(Entry(self._systems[s], c, self._kinds[k], w) for s, c, k, w in self._meanings[term])
            self._entries[term] = entries
        return entries

    def display(self, system: str, code: str) -> str | None:
        """The display of a code of any loaded system; None when the system does not hold it."""
        return self._displays.get(system, {}).get(code)

    def properties(self, system: str, code: str) -> Mapping[str, str]:
        """What a starter table says of a code: LOINC kind, unit, low and high; RxNorm class; HCPCS per (one unit)."""
        return self._properties.get(system, {}).get(code, {})

    def resolve(self, head: str, clause: str, said: str = "") -> str | None:
        """The injury stem (without 7th character) all of whose title words stand in the clause.

        `said` is the word that stands for the head there, when it is another.
        """
        index = self._rarest.get(head)
        if index is None:
            index = self._rarest[head] = by_rarest(self._injuries.get(head, ()))
        return best_injury(index, head, clause, said)

    def titles(self, first: str, last: str = "") -> Titles:
        """The titles of the billable codes below a category, or from the first of a range of them to the last."""
        key = (first, last or first)
        if key not in self._titles:
            low, high = bisect_left(self._ordered, first), bisect_left(self._ordered, f"{key[1]}~")
            codes = (c for c in self._ordered[low:high] if len(c) < 8 or c[-1] == "A" or c[-1].isdigit())
            self._titles[key] = Titles((code, self._displays[ICD10CM][code]) for code in codes)
        return self._titles[key]

    def sided(self, code: str, side: str) -> str | None:
        """The code of a side (right, left, bilateral) for an "unspecified side" code."""
        return self._sides.get(code, {}).get(side)

    def sites(self, code: str) -> Mapping[str, Mapping[str, str]] | None:
        """Site → side → code, for a code that leaves the site open."""
        return self._sites.get(code)

    def noted(self, kind: str, code: str, others: Sequence[str]) -> list[str]:
        """Those of `others` that a note (excludes1, code-first, use-additional) at `code`, or above it, names."""
        named = self._named.get((kind, code))
        if named is None:
            named = self._named[kind, code] = joined(excluded_by(self._notes[kind], code))
        firsts, ends = named
        if not firsts:
            return []
        places = ((other, bisect_right(firsts, other) - 1) for other in others)
        return [other for other, at in places if at >= 0 and other < ends[at]]

    def in_trimester(self, code: str, trimester: int) -> str | None:
        """The code of a trimester (1-3) for an "unspecified trimester" code; None where there is none."""
        codes = self._trimesters.get(code)
        return codes[trimester - 1] if codes else None

    def display_of(self, code: str) -> str:
        """The title of an ICD-10-CM code, or the code itself."""
        return self.display(ICD10CM, code) or code

    def drug_class(self, code: str, name: str) -> str | None:
        """The class of a drug by its RxNorm code, else by its name."""
        return self.properties(RXNORM, code).get("class") or self._classes.get(_term_of(name))

    def lookup(self, code: str) -> str | None:
        """The display of a code of whichever system holds it: what the repair of misread codes asks."""
        return next((found for s in self._systems if (found := self.display(s, code)) is not None), None)

    def has_code(self, system: str, code: str) -> bool:
        """True when the loaded system holds the code."""
        return code in self._displays.get(system, {})

    def everyday(self, system: str, code: str) -> bool:
        """True when our own table holds the code, so that it is taken for one without a word beside it."""
        return code in self._properties.get(system, {})

    def codes(self, system: str) -> Iterable[str]:
        """Every code of a system."""
        return self._displays.get(system, {}).keys()

    def billable(self, code: str) -> bool:
        """True when this ICD-10-CM code may be billed."""
        return code in self._billable

    def leaf(self, code: str) -> str | None:
        """The billable ICD-10-CM code that says no more than `code` does; None when there is none."""
        return code if code in self._billable else self._leaves.get(code)


@lru_cache(maxsize=8192)
def _term_of(name: str) -> str:
    return normal_term(name)


def _fingerprint(terminology: Terminology) -> str:
    """Of what the lexicon is compiled from: the newest editions and our own tables; no other edition changes it."""
    asked = ((s, v) for s in lexicon_build.SYSTEMS for v in (None, lexicon_build.starter_version(terminology, s)))
    editions = sorted({e.fingerprint for s, v in asked if (e := terminology.edition(s, version=v)) is not None})
    return hashlib.sha256("\n".join((*editions, lexicon_build.fingerprint())).encode()).hexdigest()[:16]


def _write(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".lexicon-", suffix=".building")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(temporary).replace(path)
