"""The stage from a read document to its findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from extractors.findings import analytes, rules
from extractors.findings.allergies import find_allergies
from extractors.findings.assertion import Trigger, assert_compiled, assertion_of
from extractors.findings.claims import Claims
from extractors.findings.decide import Engine, decide
from extractors.findings.draft import Draft
from extractors.findings.identity import find_identity
from extractors.findings.kin import relation
from extractors.findings.lexicon import Hit, Lexicon
from extractors.findings.measured import Value
from extractors.findings.medications import STATUSES, find_medications
from extractors.findings.mentions import inherit, resolved_later
from extractors.findings.missed import read_missed
from extractors.findings.plausible import Ink
from extractors.findings.printed import find_codes
from extractors.findings.problems import find_problems
from extractors.findings.qualified import told_apart
from extractors.findings.reading import Reading, read_text
from extractors.findings.results import find_results
from extractors.findings.short import Meant, read_short
from extractors.findings.tables import find_table_values
from extractors.findings.values import find_values
from extractors.model import Assertion, Document, Finding, Findings, Span

_PROCEDURE_STATUS = {"PLANNED": "planned", "PERFORMED": "performed"}


def find(
    document: Document,
    lexicon: Lexicon,
    *,
    engine: Engine = "compiled",
    spans: Sequence[Span] = (),
    components: Sequence[str] = (),
) -> Findings:
    """Everything `document` says, in reading order; one finding of kind `mention` for each of `spans` as well.

    Pure: no clock, no file, no network. Offsets are into `document.text`; no text makes it raise. `components` are
    names for `extractors.findings.components.component`, whose errors pass through.
    """
    reading = read_text(document.text)
    given = [(int(a), int(b)) for a, b in spans]
    identity = find_identity(document, reading)
    extra, entities = _from_components(document, lexicon, components) if components else ([], [])
    told = [span for name, span in identity.spans.items() if name != "setting"]  # a kind of visit may be the reason
    drafts = draft_findings(document, reading, lexicon, told, extra)
    drafts += entities
    drafts += [Draft("mention", a, b, (a, b)) for a, b in given]
    items = _finish(reading, drafts, engine, given)
    return Findings(tuple(sorted(items, key=lambda f: (f.start, f.end))), identity, reading.sections.begins())


def draft_findings(
    document: Document, reading: Reading, lexicon: Lexicon, claimed: list[Span], extra: Sequence[Hit] = ()
) -> list[Draft]:
    """All findings before their assertion. What one finder took (values, allergies, drugs, codes), the next leaves."""
    known = analytes.load()
    values = measure(document, reading)
    hits = read_short(reading, lexicon.find(reading.normal), lexicon)
    if missed := read_missed(reading, hits, lexicon):
        hits = sorted([*hits, *missed], key=lambda h: h.start)
    if extra:
        free = [e for e in extra if not any(h.start < e.end and e.start < h.end for h in hits)]
        hits = sorted([*hits, *free], key=lambda h: h.start)
    allergies = find_allergies(reading, hits, lexicon)
    measured = Claims(len(reading.text), [(v.start, v.end) for v in values])
    taken = Claims(len(reading.text), [*claimed, *((a.start, a.end) for a in allergies)])
    told = Claims(len(reading.text), [*((v.start, v.end) for v in values), *(a.subject for a in allergies)])
    medications = find_medications(reading, hits, told, lexicon, known)
    told.add([*claimed, *((m.start, m.end) for m in medications)])
    codes = find_codes(reading, lexicon, told)
    taken.add(c.subject for c in codes)
    problems = find_problems(reading, hits, taken, measured)
    drafts = [Draft(_kind(v), v.start, v.end, (v.start, v.end), v.attributes) for v in values]
    return [*drafts, *medications, *allergies, *codes, *problems]


def _from_components(document: Document, lexicon: Lexicon, names: Sequence[str]) -> tuple[list[Hit], list[Draft]]:
    """Abbreviations that stand for phrases of the lexicon, and entities of a model as mentions."""
    from extractors.findings.components import component

    hits: list[Hit] = []
    drafts: list[Draft] = []
    for name in names:
        for (start, end), label in component(name)(document):
            if name != "scispacy_abbreviations":
                drafts.append(Draft("mention", start, end, (start, end), {"label": label}))
            elif entries := lexicon.entries(label):
                hits.append(Meant(start, end, entries))
    return hits, drafts


def _kind(value: Value) -> Any:
    return value.kind


def measure(document: Document, reading: Reading) -> list[Value]:
    """Vital signs and laboratory values, of tables and of the text around them; doubtful ink noted."""
    known = analytes.load()
    tabled = find_table_values(reading.folded, reading.text, document.tables, reading.lines, known)
    bounds = [(b.start, b.end) for b in reading.blocks]
    inline = find_values(reading.seen, reading.text, bounds, known, [v.at for v in tabled])
    worded = find_results(
        reading.seen, reading.text, known, Claims(len(reading.text), [(v.start, v.end) for v in tabled + inline])
    )
    ink = Ink(document)
    values = sorted(tabled + inline + worded, key=lambda v: v.start)
    for value in values:
        reason = ink.doubt(value.at)
        if reason and "doubtful" not in value.attributes:
            value.attributes.update(doubtful=True, reason=reason)
    return values


def _finish(reading: Reading, drafts: Sequence[Draft], engine: Engine, given: Sequence[Span]) -> list[Finding]:
    """Findings with their assertions, and the status of medications and procedures."""
    decided = decide(reading, sorted({d.subject for d in drafts}), engine, given)
    acted = sorted({d.subject for d in drafts if d.kind in ("medication", "procedure", "code", "mention")})
    statuses = _statuses(reading, acted) if acted else {}
    over = resolved_later(reading, sorted({d.subject for d in drafts if d.kind == "problem"}))
    apart = set(told_apart(reading, drafts))
    again = inherit(reading, drafts)
    findings: list[Finding] = []
    starts: list[int] = []
    for number, draft in enumerate(drafts):
        assertion = decided[draft.subject]
        if apart and any((draft.subject, t[:2]) in apart for t in assertion.triggers):
            assertion = assertion_of([t for t in assertion.triggers if (draft.subject, t[:2]) not in apart])
        if draft.kind == "problem" and draft.subject in over:
            assertion = assertion_of([*assertion.triggers, over[draft.subject]])
        if draft.kind in ("allergy", "medication") and (assertion.historical or assertion.hypothetical):
            assertion = _still(reading, draft, assertion)
        if draft.negated:
            assertion = Assertion(negated=True, triggers=((*draft.subject, "NEGATED_EXISTENCE"),))
        attributes = {**draft.attributes, **again[number]} if number in again else draft.attributes
        if assertion.negated and _measured(draft):
            assertion = assertion_of([t for t in assertion.triggers if t[2] != "NEGATED_EXISTENCE"])
        if aim := attributes.get("target"):  # "goal INR 2-3" is no measurement
            assertion = Assertion(hypothetical=True, triggers=((*aim, "HYPOTHETICAL"),))
        if draft.subject in statuses and (status := _status(draft.kind, statuses[draft.subject])):
            attributes = {**attributes, "status": status}
        if assertion.family and draft.kind in ("problem", "mention"):
            starts = starts or [sentence.start for sentence in reading.sentences]
            attributes = {**attributes, **relation(reading.folded, reading.sentences, starts, draft.subject)}
        findings.append(
            Finding(draft.kind, draft.start, draft.end, reading.text[draft.start : draft.end], assertion,
                    reading.sections.at(draft.start), attributes, draft.concepts)
        )  # fmt: skip
    return findings


def _still(reading: Reading, draft: Draft, assertion: Assertion) -> Assertion:
    """A listed allergy is one, of childhood too; a drug that is listed among the past illnesses is taken now."""
    if draft.kind == "allergy":
        listed = reading.sections.at(draft.start) == "allergies"
        dropped = ("HISTORICAL", "HYPOTHETICAL") if listed else ("HISTORICAL",)
        return assertion_of([t for t in assertion.triggers if t[2] not in dropped])
    header = reading.sections.span(draft.start)
    return assertion_of([t for t in assertion.triggers if t[2] != "HISTORICAL" or t[:2] != header])


def _measured(draft: Draft) -> bool:
    """True of a printed number or of a test's outcome, which nothing denies; "no temperature above 101" denies one."""
    values = draft.attributes.get("components") or (draft.attributes,)
    exceeds = str(draft.attributes.get("comparator", "")).startswith(">")
    told = "value" in values[0] or ("value_text" in draft.attributes and "loinc" in draft.attributes)
    return draft.kind in ("vital", "lab") and told and not exceeds


def _statuses(reading: Reading, spans: Sequence[Span]) -> dict[Span, list[Trigger]]:
    return assert_compiled(reading.folded, reading.normal, reading.sentences, spans, rules.load(rules.STATUS))


def _status(kind: str, triggers: Sequence[Trigger]) -> str | None:
    """What the last trigger says was done: a drug stopped, held, started, changed; a procedure planned, performed."""
    names = STATUSES if kind == "medication" else _PROCEDURE_STATUS
    said = [names[category] for _, _, category in triggers if category in names]
    return said[-1] if said else None


def find_measurements(document: Document, *, engine: Engine = "compiled") -> list[Finding]:
    """Only the vital signs and laboratory values; these need no lexicon."""
    reading = read_text(document.text)
    drafts = [Draft(_kind(v), v.start, v.end, (v.start, v.end), v.attributes) for v in measure(document, reading)]
    return _finish(reading, drafts, engine, ())


def assert_spans(document: Document, spans: Sequence[Span], *, engine: Engine = "compiled") -> list[Assertion]:
    """The Assertion of each of `spans`, in their order."""
    decided = decide(read_text(document.text), sorted(set(spans)), engine, spans)
    return [decided[span] for span in spans]
