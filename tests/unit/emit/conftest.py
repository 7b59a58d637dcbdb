"""A two-page document about an invented person, with findings and codes set by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from claims.draft import draft_claim
from extractors.emit import Source, as_dict, emit
from extractors.model import Assertion, Code, Coded, Document, Finding, Findings, Identity, Page, Word
from fhir_profiles.systems import CPT, HCPCS, ICD10CM, LOINC, RXNORM

FIRST = """Patient Wren Abernathy MRN 5512907
BP 128/76 mmHg
Weight 72.50 kg
HbA1c 7.4 % H 4.0-5.6
No pneumonia. Mother had breast cancer.
Possible sleep apnea.
"""
SECOND = """Type 2 diabetes mellitus with
hyperglycemia E11.65
metformin 500 mg PO BID
99214 J1885
"""


def _words(text: str, start: int) -> tuple[Word, ...]:
    """Words on a grid: each line is 0.04 of the page high, each character 0.01 wide."""
    words, at = [], 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        offset = 0
        for token in line.split():
            offset = line.index(token, offset)
            left, right, top = 0.1 + offset * 0.01, 0.1 + (offset + len(token)) * 0.01, 0.1 + number * 0.04
            quad = (left, top, right, top, right, top + 0.02, left, top + 0.02)
            begin = start + at + offset
            words.append(Word(token, begin, begin + len(token), quad, 96.0, number))
            offset += len(token)
        at += len(line)
    return tuple(words)


@pytest.fixture
def document() -> Document:
    """The document: two read pages."""
    text = f"{FIRST}\f{SECOND}\f"
    turn = len(FIRST) + 1
    pages = (
        Page(1, 612, 792, 0, len(FIRST), "ocr", _words(FIRST, 0)),
        Page(2, 612, 792, turn, turn + len(SECOND), "ocr", _words(SECOND, turn)),
    )
    return Document(text, "image/tiff", "0" * 64, pages)


@dataclass
class Case:
    """A document with findings and codes that a test may change before it is emitted."""

    document: Document
    items: list[Finding]
    codes: list[Code]
    identity: Identity
    setting: str = "outpatient"

    def find(self, text: str) -> tuple[int, int]:
        """Where words stand, however they are broken into lines."""
        start = self.document.text.index(text)
        return start, start + len(text)

    def add(
        self, kind: str, text: str, system: str = "", code: str = "", status: str = "accepted", **more: Any
    ) -> None:
        """A finding, and its code when there is one."""
        start, end = self.find(text)
        self.items.append(Finding(kind, start, end, text, **more))
        if code:
            number = len(self.items) - 1
            self.codes.append(
                Code(system, code, f"Display of {code}", start, end, 0.9, status, "because", number, "2026")
            )

    @property
    def coded(self) -> Coded:
        """What the coding stage would hand over."""
        findings = Findings(tuple(self.items), self.identity)
        return Coded(findings, tuple(self.codes), self.setting, date(2026, 3, 12), {ICD10CM: "2026", LOINC: "2.80"})

    def emit(self, **source: Any) -> list[dict[str, Any]]:
        """The emitted resources as dicts."""
        given = {"document": "doc-1", "version": "2", "recorded": "2026-03-13T08:41:00Z", **source}
        return [as_dict(r) for r in emit(Source(**given), self.document, self.coded, draft_claim=draft_claim)]

    def of(self, kind: str, **source: Any) -> list[dict[str, Any]]:
        """The emitted resources of one type."""
        return [resource for resource in self.emit(**source) if resource["resourceType"] == kind]


@pytest.fixture
def empty(document: Document) -> Case:
    """No findings yet."""
    identity = Identity(
        family="Abernathy", given=("Wren",), mrn="5512907", birth_date=date(1971, 5, 2), sex="female",
        provider="Tobias Quill, MD", npi="1487650321",
    )  # fmt: skip
    return Case(document, [], [], identity)


@pytest.fixture
def case(empty: Case) -> Case:
    """One finding of each kind."""
    pressure = [
        {"name": "Systolic blood pressure", "loinc": "8480-6", "value": Decimal("128"), "unit": "mm[Hg]"},
        {"name": "Diastolic blood pressure", "loinc": "8462-4", "value": Decimal("76"), "unit": "mm[Hg]"},
    ]
    panel = {"name": "Blood pressure", "loinc": "85354-9", "components": pressure}
    weight = {"name": "Weight", "loinc": "29463-7", "value": Decimal("72.50"), "unit": "kg"}
    result = {"name": "HbA1c", "loinc": "4548-4", "value": Decimal("7.4"), "unit": "%", "flag": "H"}
    bounds = {"low": Decimal("4.0"), "high": Decimal("5.6")}
    empty.add("vital", "BP 128/76 mmHg", LOINC, "85354-9", attributes=panel)
    empty.add("vital", "Weight 72.50 kg", LOINC, "29463-7", attributes=weight)
    empty.add("lab", "HbA1c 7.4 % H 4.0-5.6", LOINC, "4548-4", attributes={**result, **bounds})
    empty.add("problem", "pneumonia", ICD10CM, "J18.9", "rejected", assertion=Assertion(negated=True))
    empty.add("problem", "breast cancer", ICD10CM, "C50.919", "rejected", assertion=Assertion(family=True))
    empty.add("problem", "sleep apnea", ICD10CM, "G47.30", "suggested", assertion=Assertion(possible=True))
    empty.add("problem", "Type 2 diabetes mellitus with\nhyperglycemia", ICD10CM, "E11.65")
    empty.add("code", "E11.65", ICD10CM, "E11.65")
    empty.add(
        "medication", "metformin 500 mg PO BID", RXNORM, "6809",
        attributes={"drug": "metformin", "dose": Decimal("500"), "dose_unit": "mg", "route": "PO", "frequency": "BID",
                    "timing": {"code": "BID", "frequency": 2, "period": 1, "period_unit": "d"}, "as_needed": False},
    )  # fmt: skip
    empty.add("code", "99214", CPT, "99214")
    empty.add("code", "J1885", HCPCS, "J1885")
    return empty


@pytest.fixture
def doubtful() -> Callable[[Finding], Finding]:
    """Marks a finding as badly read."""
    return lambda finding: replace(finding, attributes={**finding.attributes, "doubtful": True})
