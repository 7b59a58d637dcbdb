"""The four stages joined: read → find → code → emit, each a pure function over frozen records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from extractors.coding import code
from extractors.coding.lexicon import Lexicon
from extractors.findings import find
from extractors.model import Coded, Document, Findings, Setting, Span
from extractors.pages import Cache, Limits, from_text, read
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

    @classmethod
    def open(
        cls,
        data: Path | str,
        *,
        limits: Limits | None = None,
        engine: Literal["compiled", "medspacy"] = "compiled",
        progress: Progress | None = None,
    ) -> Pipeline:
        """The pipeline of a data directory; the terminology is built first where it is missing."""
        terminology = ensure_terminology(data, progress)
        return cls(terminology, Lexicon.open(terminology, data), limits or Limits(), engine)

    def read(
        self, data: bytes, *, ocr: str = "auto", cache: Cache | None = None, progress: PageProgress | None = None
    ) -> Document:
        """A document from bytes of any accepted type; raises `Refused`. `progress(done, pages)` follows the pages."""
        return read(data, limits=self.limits, ocr=ocr, cache=cache, lexicon=self.lexicon.lookup, progress=progress)

    def find(self, document: Document, spans: Sequence[Span] = ()) -> Findings:
        """Everything the document says."""
        return find(document, self.lexicon, engine=self.engine, spans=spans)

    def code(self, findings: Findings, document: Document, setting: Setting | None = None) -> Coded:
        """The codes of the findings."""
        return code(findings, document, self.terminology, self.lexicon, setting)

    def run(
        self, source: bytes | str | Document, setting: Setting | None = None, spans: Sequence[Span] = ()
    ) -> tuple[Document, Coded]:
        """From bytes, or plain text, or a read document, to its codes."""
        if isinstance(source, str):
            source = from_text(source)
        document = self.read(source) if isinstance(source, bytes) else source
        return document, self.code(self.find(document, spans), document, setting)
