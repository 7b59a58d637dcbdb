"""The stage from a read document to its findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from extractors.findings import rules
from extractors.findings.assertion import assert_compiled, assertion_of, inner_triggers
from extractors.findings.lexicon import Lexicon
from extractors.findings.lines import Line, Sentence, split_lines, split_sentences
from extractors.findings.normalise import Normal, fold, normalise
from extractors.findings.priors import section_triggers
from extractors.findings.sections import SectionMap, split_sections
from extractors.model import Assertion, Document, Finding, Findings, Span

Engine = Literal["compiled", "medspacy"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A document taken apart once: what every finder works on."""

    text: str
    folded: str
    lines: list[Line]
    sentences: list[Sentence]
    sections: SectionMap
    normal: Normal


def read(text: str) -> Reading:
    """Fold, split and normalise a text."""
    folded = fold(text)
    lines = split_lines(text)
    sections = SectionMap(split_sections(text, folded, lines))
    sentences = split_sentences(text, folded, lines, sections.starts)
    return Reading(text, folded, lines, sentences, sections, normalise(folded, [s.start for s in sentences]))


def decide(reading: Reading, spans: Sequence[Span], engine: Engine, given: Sequence[Span] = ()) -> dict[Span, Assertion]:
    """The Assertion of each span: ConText by the chosen engine, then the priors of the section."""
    table = rules.load()
    if engine == "compiled":
        found = assert_compiled(reading.folded, reading.normal, reading.sentences, spans, table)
    else:
        from extractors.findings.medspacy_engine import assert_medspacy

        found = assert_medspacy(reading.text, reading.sentences, spans)
    if given:
        inner = inner_triggers(reading.folded, reading.normal, reading.sentences, given, table)
        for span, triggers in inner.items():
            found[span] = [*found[span], *triggers]
    return {s: assertion_of([*triggers, *section_triggers(reading.sections, s)]) for s, triggers in found.items()}


def assert_spans(document: Document, spans: Sequence[Span], *, engine: Engine = "compiled") -> list[Assertion]:
    """The Assertion of each of `spans`, in their order."""
    decided = decide(read(document.text), sorted(set(spans)), engine, spans)
    return [decided[tuple(span)] for span in spans]


def find(document: Document, lexicon: Lexicon, *, engine: Engine = "compiled", spans: Sequence[Span] = ()) -> Findings:
    """Everything `document` says, in reading order; one finding of kind `mention` for each of `spans` as well."""
    reading = read(document.text)
    hits = lexicon.find(document.text)
    given = [(int(a), int(b)) for a, b in spans]
    decided = decide(reading, sorted({(h.start, h.end) for h in hits} | set(given)), engine, given)
    items = [
        Finding("problem", h.start, h.end, document.text[h.start : h.end], decided[h.start, h.end],
                reading.sections.at(h.start), concepts=tuple((e.system, e.code, e.score) for e in h.entries))
        for h in hits
    ]  # fmt: skip
    items += [Finding("mention", a, b, document.text[a:b], decided[a, b], reading.sections.at(a)) for a, b in given]
    return Findings(tuple(sorted(items, key=lambda f: (f.start, f.end))))
