"""Codings with their evidence (https://hl7.org/fhir/R4/datatypes.html#CodeableConcept)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from extractors.emit.clean import clean
from extractors.emit.evidence import confidence, evidence
from extractors.emit.source import Source
from extractors.model import Code, Document, Finding, Span


def fixed(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    """A CodeableConcept of FHIR's own vocabulary: it says how we recorded, not what the words said."""
    return {"coding": [coding(system, code, display)]}


def coding(system: str, code: str, display: str | None = None, version: str | None = None) -> dict[str, Any]:
    """A plain Coding."""
    out = {"system": system, "version": version, "code": code, "display": display}
    return {key: value for key, value in out.items() if value}


def spans_of(codes: Iterable[Code]) -> list[Span]:
    """Everything the codes rest on, their own words first, each span once."""
    codes = list(codes)
    return list(dict.fromkeys([*((c.start, c.end) for c in codes), *(span for c in codes for span in c.evidence)]))


def proved(source: Source, document: Document, codes: Sequence[Code]) -> dict[str, Any]:
    """A Coding with evidence and confidence; `codes` say the same thing in different places, the best first."""
    best = codes[0]
    return {
        "extension": [
            *evidence(source, document, spans_of(codes)),
            confidence(max(code.confidence for code in codes)),
        ],
        **coding(best.system, best.code, best.display, best.edition),
    }


def concept(source: Source, document: Document, groups: Iterable[Sequence[Code]], text: str) -> dict[str, Any]:
    """A CodeableConcept with one proved coding for each group of equal codes, and the words as they stand."""
    codings = [proved(source, document, group) for group in groups]
    out: dict[str, Any] = {"coding": codings} if codings else {}
    return {**out, "text": text} if text else out


def located(source: Source, document: Document, finding: Finding) -> list[dict[str, Any]]:
    """The evidence of a finding that has no code: where its words stand."""
    return evidence(source, document, [(finding.start, finding.end)])


def words(document: Document, start: int, end: int) -> str:
    """The words of a span on one line, as a person would quote them."""
    return clean(document.text[start:end])
