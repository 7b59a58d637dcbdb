"""What a code rests on beside its words: status, rule, section, and the words that decided who, when and whether.

https://www.cms.gov/medicare/coding-billing/icd-10-codes
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from extractors.emit.concepts import concept, spans_of, words
from extractors.emit.source import Source
from extractors.model import Code, Coded, Document
from fhir_profiles.systems import CODING_BASIS

MOST_TRIGGERS = 8


def grounded(source: Source, document: Document, coded: Coded, codes: Sequence[Code]) -> dict[str, Any]:
    """The concept of equal codes: one Coding with evidence, confidence and basis, and the words as they stand."""
    said = words(document, *spans_of(codes)[0])
    out = concept(source, document, [codes], said)
    out["coding"][0]["extension"] += basis(document, coded, codes)
    return out


def basis(document: Document, coded: Coded, codes: Sequence[Code]) -> list[dict[str, Any]]:
    """The extension that says what the first of equal codes rests on, and whether it was sure enough to be accepted."""
    finding = coded.findings.items[codes[0].finding]
    rule = next((code.rule for code in codes if code.rule), None)
    triggers = [words(document, start, end) for start, end, _ in finding.assertion.triggers]
    said = list(dict.fromkeys(filter(None, triggers)))[:MOST_TRIGGERS]
    parts = [
        {"url": "status", "valueCode": codes[0].status},
        *([{"url": "rule", "valueString": rule}] if rule else []),
        *([{"url": "section", "valueString": finding.section}] if finding.section else []),
        *({"url": "trigger", "valueString": text} for text in said),
    ]
    return [{"url": CODING_BASIS, "extension": parts}]
