"""Where a narrative names what: phrases of the model, composed words and terms that training documents never had."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from extractors.coding.learned.composed import places as composed_places
from extractors.coding.learned.model import EXACT, SOURCES, Meaning, Model
from extractors.coding.learned.words import Words, read_words
from extractors.coding.lexicon import Lexicon
from extractors.model import Finding, Span
from fhir_profiles.systems import ICD10CM

NONE = -1
NO_MODIFIER = (0.0, 0.0)


@dataclass(slots=True)
class Mentioned:
    """A phrase with all the places where the text has it; `findings` are what was found at each place, or `NONE`."""

    words: int
    documents: int
    meanings: Sequence[Meaning]
    spans: list[Span]
    findings: list[int]
    around: frozenset[str]  # the words of the clause where it first stands
    before: float  # how surely the word before (behind) belongs to what is named, where that is least
    behind: float


def mentioned(model: Model, text: str, items: Sequence[Finding], lexicon: Lexicon) -> list[Mentioned]:
    """Every phrase of a text that may stand for a code."""
    words = read_words(text)
    problems = [(f.start, f.end, i) for i, f in enumerate(items) if f.kind == "problem"]
    gathered = _Gathered(model, words, problems)
    for number, a, b in model.find(words.text):
        phrase = model.phrases[number]
        gathered.add(phrase.text, a, b, phrase.documents, phrase.meanings)
    known = frozenset(gathered.places)
    for phrase_text, (meanings, places) in composed_places(lexicon, words.text).items():
        for a, b in places:
            if words.span(a, b) not in known:
                gathered.add(phrase_text, a, b, 0, meanings)
    others: dict[str, Mentioned] = {}
    for start, end, i in problems:
        if (start, end) in known:
            continue
        term = items[i].text.lower()
        other = others.get(term)
        if other is None:
            of_tables = _of_tables(lexicon, items[i].text)
            other = others[term] = Mentioned(term.count(" ") + 1, 0, of_tables, [], [], frozenset(), 0.0, 0.0)
        other.spans.append((start, end))
        other.findings.append(i)
    return [*gathered.found.values(), *(m for m in others.values() if m.meanings)]


class _Gathered:
    """Phrases in the order in which the text has them, and all their places."""

    def __init__(self, model: Model, words: Words, problems: Sequence[tuple[int, int, int]]) -> None:
        self.found: dict[str, Mentioned] = {}
        self.places: set[Span] = set()
        self._modifiers, self._words = model.modifiers, words
        self._problems, self._starts = problems, [p[0] for p in problems]
        self._clauses: dict[Span, frozenset[str]] = {}

    def add(self, phrase: str, a: int, b: int, documents: int, meanings: Sequence[Meaning]) -> None:
        """A phrase at a place of the text in normal form."""
        words = self._words
        span = words.span(a, b)
        self.places.add(span)
        known = self.found.get(phrase)
        if known is None:
            start, end = clause = words.clause(a)
            around = self._clauses.get(clause)
            if around is None:
                around = self._clauses[clause] = frozenset(words.text[start:end].split())
            known = self.found[phrase] = Mentioned(phrase.count(" ") + 1, documents, meanings, [], [], around, 1.0, 1.0)
        known.spans.append(span)
        known.findings.append(_over(self._problems, self._starts, span))
        known.before = min(known.before, self._modifiers.get(words.before(a), NO_MODIFIER)[0])
        known.behind = min(known.behind, self._modifiers.get(words.behind(b), NO_MODIFIER)[1])


def _over(problems: Sequence[tuple[int, int, int]], starts: Sequence[int], span: Span) -> int:
    """The finding that shares words with a span, or `NONE`."""
    i = bisect_left(starts, span[1]) - 1
    return problems[i][2] if i >= 0 and problems[i][1] > span[0] else NONE


def _of_tables(lexicon: Lexicon, text: str) -> list[Meaning]:
    found = []
    for entry in lexicon.entries(text)[:6]:
        source = SOURCES.get(entry.kind)
        leaf = lexicon.leaf(entry.code) if source and entry.system == ICD10CM else None
        if source and leaf:
            found.append(Meaning(leaf, 0, 0, source | (EXACT if leaf == entry.code else 0)))
    return found
