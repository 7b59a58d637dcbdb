"""The four stages joined: read → find → code → emit, each a pure function over frozen records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from extractors.coding import code
from extractors.coding.learned import Model
from extractors.coding.lexicon import Lexicon
from extractors.findings import find
from extractors.model import Adjudication, Coded, Convention, Document, Findings, Setting, Span
from extractors.pages import OFF, Cache, Limits, from_text, read
from terminology import Terminology, ensure_terminology
from terminology.source import Progress

PageProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What the stages need, opened once and shared by every document; safe to fork after opening."""

    terminology: Terminology
    lexicon: Lexicon
    limits: Limits
    engine: Literal["compiled", "medspacy"] = "compiled"
    convention: Convention = "guidelines"
    learned: Model | None = None  # instead of the model of the package
    second: str = OFF  # the reader of doubtful lines: `off` or `rapidocr`

    @classmethod
    def open(
        cls,
        data: Path | str,
        *,
        limits: Limits | None = None,
        engine: Literal["compiled", "medspacy"] = "compiled",
        progress: Progress | None = None,
        convention: Convention = "guidelines",
        second: str = OFF,
    ) -> Pipeline:
        """The pipeline of a data directory; the terminology is built first where it is missing."""
        terminology = ensure_terminology(data, progress)
        return cls(terminology, Lexicon.open(terminology, data), limits or Limits(), engine, convention, second=second)

    def read(
        self, data: bytes, *, ocr: str = "auto", cache: Cache | None = None, progress: PageProgress | None = None
    ) -> Document:
        """A document from bytes of any accepted type; raises `Refused`. `progress(done, pages)` follows the pages."""
        lookup = self.lexicon.lookup
        return read(
            data, limits=self.limits, ocr=ocr, second=self.second, cache=cache, lexicon=lookup, progress=progress
        )

    def find(self, document: Document, spans: Sequence[Span] = ()) -> Findings:
        """Everything the document says."""
        return find(document, self.lexicon, engine=self.engine, spans=spans)

    def code(
        self,
        findings: Findings,
        document: Document,
        setting: Setting | None = None,
        adjudication: Adjudication | None = None,
    ) -> Coded:
        """The codes of the findings, by what a language model said of suggested ones where it was asked."""
        return code(
            findings, document, self.terminology, self.lexicon, setting, adjudication, self.convention, self.learned
        )

    def run(
        self, source: bytes | str | Document, setting: Setting | None = None, spans: Sequence[Span] = ()
    ) -> tuple[Document, Coded]:
        """From bytes, or plain text, or a read document, to its codes."""
        if isinstance(source, str):
            source = from_text(source)
        document = self.read(source) if isinstance(source, bytes) else source
        return document, self.code(self.find(document, spans), document, setting)
