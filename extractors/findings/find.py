"""The stage from a read document to its findings."""

from __future__ import annotations

from collections.abc import Sequence

from extractors.findings import analytes
from extractors.findings.decide import Engine, decide
from extractors.findings.lexicon import Lexicon
from extractors.findings.plausible import Ink
from extractors.findings.reading import Reading, read_text
from extractors.findings.results import find_results
from extractors.findings.tables import find_table_values
from extractors.findings.values import Value, find_values
from extractors.model import Assertion, Document, Finding, Findings, Span


def find(document: Document, lexicon: Lexicon, *, engine: Engine = "compiled", spans: Sequence[Span] = ()) -> Findings:
    """Everything `document` says, in reading order; one finding of kind `mention` for each of `spans` as well."""
    reading = read_text(document.text)
    given = [(int(a), int(b)) for a, b in spans]
    values = measure(document, reading)
    hits = lexicon.find(document.text)
    wanted = {(h.start, h.end) for h in hits} | {(v.start, v.end) for v in values} | set(given)
    decided = decide(reading, sorted(wanted), engine, given)
    items = [
        Finding("problem", h.start, h.end, document.text[h.start : h.end], decided[h.start, h.end],
                reading.sections.at(h.start), concepts=tuple((e.system, e.code, e.score) for e in h.entries))
        for h in hits
    ]  # fmt: skip
    items += [_finding(v, reading, decided) for v in values]
    items += [Finding("mention", a, b, document.text[a:b], decided[a, b], reading.sections.at(a)) for a, b in given]
    return Findings(tuple(sorted(items, key=lambda f: (f.start, f.end))))


def measure(document: Document, reading: Reading) -> list[Value]:
    """Vital signs and laboratory values, of tables and of the text around them; doubtful ink noted."""
    known = analytes.load()
    tabled = find_table_values(reading.folded, reading.text, document.tables, reading.lines, known)
    bounds = [(b.start, b.end) for b in reading.blocks]
    inline = find_values(reading.folded, reading.text, bounds, known, [v.at for v in tabled])
    known_spans = [(v.start, v.end) for v in tabled + inline]
    worded = find_results(reading.folded, reading.text, known, known_spans)
    ink = Ink(document)
    for value in (values := sorted(tabled + inline + worded, key=lambda v: v.start)):
        reason = ink.doubt(value.at)
        if reason and "doubtful" not in value.attributes:
            value.attributes.update(doubtful=True, reason=reason)
    return values


def _finding(value: Value, reading: Reading, decided: dict[Span, Assertion]) -> Finding:
    span = (value.start, value.end)
    text = reading.text[value.start : value.end]
    kind = "vital" if value.kind == "vital" else "lab"
    return Finding(kind, *span, text, decided[span], reading.sections.at(value.start), value.attributes)


def find_measurements(document: Document, *, engine: Engine = "compiled") -> list[Finding]:
    """Only the vital signs and laboratory values; these need no lexicon."""
    reading = read_text(document.text)
    values = measure(document, reading)
    decided = decide(reading, sorted({(v.start, v.end) for v in values}), engine)
    return [_finding(v, reading, decided) for v in values]


def assert_spans(document: Document, spans: Sequence[Span], *, engine: Engine = "compiled") -> list[Assertion]:
    """The Assertion of each of `spans`, in their order."""
    decided = decide(read_text(document.text), sorted(set(spans)), engine, spans)
    return [decided[span] for span in spans]
