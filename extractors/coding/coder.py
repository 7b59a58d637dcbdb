"""The stage from findings to codes, each with the words that prove it and the reason in words."""

from __future__ import annotations

import dataclasses

from extractors.coding import rules
from extractors.coding.candidates import text_candidates
from extractors.coding.case import NO_FINDING, Candidate, Case
from extractors.coding.decided import apply_decisions
from extractors.coding.ink import Ink
from extractors.coding.learned.model import Model
from extractors.coding.lexicon import Lexicon
from extractors.coding.measured import measured_codes
from extractors.coding.printed import printed_codes
from extractors.coding.rules.dated import day_of
from extractors.coding.sequence import in_order, merged
from extractors.model import (
    Adjudication,
    Code,
    Coded,
    Convention,
    Document,
    Finding,
    FindingKind,
    Findings,
    Gap,
    Setting,
)
from fhir_profiles.systems import HCPCS, ICD10CM, LOINC, RXNORM
from terminology import Terminology


def code(
    findings: Findings,
    document: Document,
    terminology: Terminology,
    lexicon: Lexicon,
    setting: Setting | None = None,
    adjudication: Adjudication | None = None,
    convention: Convention = "guidelines",
    learned: Model | None = None,
) -> Coded:
    """The codes of a document: accepted ones first and in claim order, then suggested, then rejected.

    `setting` overrides what the document says of itself; without either it is outpatient, the stricter one.
    `adjudication` is what a language model said of the codes that were suggested without it.
    By the convention `mentions` every condition that is named is coded, also a denied one, as research corpora do;
    `learned` stands for the model of the package.
    """
    on = findings.identity.service_date
    case = Case(document, findings, lexicon, setting or findings.identity.setting or "outpatient", convention)
    printed_codes(case, terminology, on)
    text_candidates(case, learned)
    if adjudication is not None:
        apply_decisions(case, adjudication)
    if convention == "guidelines":
        rules.apply(case)
    kept = merged(case.candidates)
    measured = case.beside()
    measured_codes(measured)
    _withhold_lapsed(kept, terminology, case)
    ordered = in_order(case, kept) + measured.candidates
    ink = Ink(document)
    for candidate in ordered:
        candidate.confidence = round(candidate.confidence * ink.factor(candidate.start, candidate.end), 3)
    findings = _with_rule_findings(findings, document, ordered)
    codes = tuple(_code(c, lexicon) for c in ordered)
    return Coded(
        findings, codes, case.setting, on, dict(lexicon.editions), adjudication, tuple(sorted(case.gaps, key=_where))
    )


def _where(gap: Gap) -> tuple[int, str]:
    return gap.start, gap.id


def _with_rule_findings(findings: Findings, document: Document, candidates: list[Candidate]) -> Findings:
    """The findings, and after them one for each span that only a rule read, so that every code has its finding."""
    items = list(findings.items)
    made: dict[tuple[int, int, str], int] = {}
    for candidate in candidates:
        if candidate.finding != NO_FINDING:
            continue
        kind: FindingKind = "problem" if candidate.system == ICD10CM else "procedure"
        key = (candidate.start, candidate.end, kind)
        if key not in made:
            made[key] = len(items)
            text = document.text[candidate.start : candidate.end]
            items.append(Finding(kind, candidate.start, candidate.end, text))
        candidate.finding = made[key]
    return dataclasses.replace(findings, items=tuple(items)) if made else findings


def _withhold_lapsed(candidates: list[Candidate], terminology: Terminology, case: Case) -> None:
    """An accepted code that was not in force on the date of service, or is not billable, is not accepted."""
    on = case.findings.identity.service_date
    if on is None and any(c.system == HCPCS and c.status == "accepted" for c in candidates):
        on = day_of(case)
    for candidate in candidates:
        if candidate.status != "accepted" or candidate.printed:
            continue
        if candidate.system == ICD10CM and on is None:
            continue  # every candidate is a billable leaf of the newest edition already
        answer = terminology.validate_code(candidate.system, candidate.code, on=on)
        if not answer.result or answer.billable is False:
            candidate.status, candidate.confidence = "rejected", 0.0
            candidate.reasons.append(str(answer.message))
        elif answer.message and candidate.system in (ICD10CM, HCPCS):
            candidate.reasons.append(answer.message)


def _code(candidate: Candidate, lexicon: Lexicon) -> Code:
    confidence = candidate.confidence if candidate.system in (LOINC, RXNORM) else min(candidate.confidence, 0.99)
    return Code(
        candidate.system,
        candidate.code,
        lexicon.display(candidate.system, candidate.code) or candidate.code,
        candidate.start,
        candidate.end,
        confidence if candidate.status != "rejected" else min(confidence, 0.2),
        candidate.status,
        "; ".join(candidate.reasons),
        candidate.finding,
        edition=lexicon.editions.get(candidate.system, ""),
        rule=candidate.rule,
        evidence=tuple(candidate.evidence),
        modifiers=candidate.modifiers,
        units=candidate.units,
    )
