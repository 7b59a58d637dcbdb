"""Where a narrative names what: phrases of the model, and terms of the tables that training documents never had."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from extractors.coding.learned.model import EXACT, SOURCES, Meaning, Model
from extractors.coding.learned.words import read_words
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
    clauses: dict[Span, frozenset[str]] = {}
    found: dict[int, Mentioned] = {}
    places: set[Span] = set()
    problems = [(f.start, f.end, i) for i, f in enumerate(items) if f.kind == "problem"]
    starts = [p[0] for p in problems]
    for number, a, b in model.find(words.text):
        span = words.span(a, b)
        places.add(span)
        known = found.get(number)
        if known is None:
            phrase = model.phrases[number]
            start, end = clause = words.clause(a)
            around = clauses.get(clause)
            if around is None:
                around = clauses[clause] = frozenset(words.text[start:end].split())
            known = found[number] = Mentioned(
                phrase.text.count(" ") + 1, phrase.documents, phrase.meanings, [], [], around, 1.0, 1.0
            )
        known.spans.append(span)
        known.findings.append(_over(problems, starts, span))
        known.before = min(known.before, model.modifiers.get(words.before(a), NO_MODIFIER)[0])
        known.behind = min(known.behind, model.modifiers.get(words.behind(b), NO_MODIFIER)[1])
    others: dict[str, Mentioned] = {}
    for start, end, i in problems:
        if (start, end) in places:
            continue
        term = items[i].text.lower()
        known = others.get(term)
        if known is None:
            meanings = _of_tables(lexicon, items[i].text)
            known = others[term] = Mentioned(term.count(" ") + 1, 0, meanings, [], [], frozenset(), 0.0, 0.0)
        known.spans.append((start, end))
        known.findings.append(i)
    return [*found.values(), *(m for m in others.values() if m.meanings)]


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
