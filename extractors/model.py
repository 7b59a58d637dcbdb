"""What travels down the pipeline: frozen records from words on a page to codes with their evidence.

Offsets are character offsets into `Document.text` (Python `str` indices, end exclusive). Quads are eight floats
x0,y0 … x3,y3 (clockwise from top left), each 0–1 of the page as a reader sees it, origin top left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

import msgspec

Quad = tuple[float, float, float, float, float, float, float, float]
Span = tuple[int, int]
PageMethod = Literal["text", "prior-ocr", "ocr", "hybrid", "empty", "failed"]
FindingKind = Literal["problem", "medication", "vital", "lab", "procedure", "code", "allergy", "mention"]
CodeStatus = Literal["accepted", "suggested", "rejected"]
Setting = Literal["outpatient", "inpatient"]
Convention = Literal["guidelines", "mentions"]  # what is coded: what guidelines ask, or every condition that is named
EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Word:
    """A word on a page. `raw` is the engine's reading where a repair changed it, `repair` the rule's id.

    `other` is what another reader read where two readers differ: then the word is doubtful.
    """

    text: str
    start: int
    end: int
    quad: Quad
    confidence: float  # 0–100; 100 for a trusted text layer
    line: int  # ordinal on its page
    raw: str | None = None
    repair: str | None = None
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page and how it was read; `words` are in reading order. `reason` says why a page is `failed`."""

    number: int  # from 1
    width: float  # points, as seen
    height: float
    start: int
    end: int
    method: PageMethod
    words: tuple[Word, ...] = ()
    engine: str = ""  # name and version
    dpi: float = 0.0
    rotation: int = 0  # clockwise degrees that were undone
    steps: tuple[str, ...] = ()
    confidence: float = 100.0  # mean over words
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as spans of the text, row by row; an empty cell is `(n, n)`. The first row is the header, if any."""

    page: int
    rows: tuple[tuple[Span, ...], ...]
    header: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A read document. Lines end in a newline, pages in a form feed, a wide gap within a line is a tab.

    A document that has no pages (plain text, HTML, RTF, C-CDA) has `pages == ()`: offsets are its evidence.
    """

    text: str
    media_type: str
    sha256: str
    pages: tuple[Page, ...] = ()
    tables: tuple[Table, ...] = ()
    title: str | None = None


class Assertion(msgspec.Struct, frozen=True, gc=False):
    """Who, when and whether; `triggers` are the spans that decided, with the rule's category."""

    negated: bool = False
    possible: bool = False
    historical: bool = False
    hypothetical: bool = False
    family: bool = False
    triggers: tuple[tuple[int, int, str], ...] = ()

    @property
    def present(self) -> bool:
        """True when the patient has it now, as far as the text says."""
        return not (self.negated or self.possible or self.historical or self.hypothetical or self.family)


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One thing the document says.

    `attributes` by kind: medication {drug, dose, dose_unit, strength, form, route, frequency, timing, as_needed,
    rxnorm, ingredient}; vital and lab {name, loinc, value, comparator, unit (UCUM), unit_text, low, high, flag,
    components: [{name, loinc, value, unit}]}; procedure and code {system, code}; problem {laterality, acuity, severity,
    stage, …}. Numbers are `Decimal` as printed. `concepts` are candidate (system, code) pairs with the matcher's score.
    """

    kind: FindingKind
    start: int
    end: int
    text: str
    assertion: Assertion = Assertion()
    section: str = ""  # normalised section name, "" when none
    attributes: Mapping[str, Any] = EMPTY
    concepts: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who and when the document is about, each with the span that says so (None: not printed)."""

    family: str | None = None
    given: tuple[str, ...] = ()
    mrn: str | None = None
    birth_date: date | None = None
    sex: Literal["male", "female", "other", "unknown"] | None = None
    phone: str | None = None
    address: str | None = None
    service_date: date | None = None
    service_end: date | None = None
    provider: str | None = None
    npi: str | None = None
    facility: str | None = None
    setting: Setting | None = None
    spans: Mapping[str, Span] = field(default_factory=lambda: EMPTY)
    doubts: Mapping[str, str] = field(default_factory=lambda: EMPTY)  # field → why it cannot be taken as read


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings in reading order, the identity block, and where each section begins, with its normalised name."""

    items: tuple[Finding, ...]
    identity: Identity = Identity()
    sections: tuple[tuple[int, str], ...] = ()


class Code(msgspec.Struct, frozen=True, gc=False):
    """A code with the words that prove it. `finding` indexes `Findings.items`; `reason` is for a person to read."""

    system: str
    code: str
    display: str
    start: int
    end: int
    confidence: float  # 0–1
    status: CodeStatus
    reason: str
    finding: int
    edition: str = ""
    rule: str | None = None
    evidence: tuple[Span, ...] = ()  # further spans that the code rests on
    modifiers: tuple[str, ...] = ()
    units: int = 1


@dataclass(frozen=True, slots=True)
class Decision:
    """What a language model said of a suggested code, with the words of the document that it quoted.

    `because` is a key of `extractors.adjudicate.model.BECAUSE`.
    """

    system: str
    code: str
    verdict: Literal["keep", "drop"]
    because: str
    quote: Span


@dataclass(frozen=True, slots=True)
class Adjudication:
    """What a language model was asked about and what of its answer counts.

    `offered` are (system, code) pairs; each has a decision, or in `refused` the reason why there is none. `silence`
    says why nothing at all was heard; `strangers` counts answers about codes that were not offered.
    """

    model: str
    prompt: str  # its version
    offered: tuple[tuple[str, str], ...]
    decisions: tuple[Decision, ...] = ()
    refused: Mapping[tuple[str, str], str] = field(default_factory=dict)
    silence: str | None = None
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """What the text would have to say before a code could be chosen: `id` of the question, the words that raise it."""

    id: str
    asks: str
    cites: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Coded:
    """A document's findings with their codes, best first; accepted diagnoses are in claim order."""

    findings: Findings
    codes: tuple[Code, ...]
    setting: Setting
    service_date: date | None
    editions: Mapping[str, str] = field(default_factory=lambda: EMPTY)  # system → edition used
    adjudication: Adjudication | None = None  # None: no language model was asked
    gaps: tuple[Gap, ...] = ()  # what a coder would have to ask, in reading order
