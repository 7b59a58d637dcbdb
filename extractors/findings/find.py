"""The stage from a read document to its findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from extractors.findings.matching import Lexicon, find_mentions
from extractors.findings.normalise import fold, normalise
from extractors.model import Document, Finding, Findings, Span

Engine = Literal["compiled", "medspacy"]


def find(document: Document, lexicon: Lexicon, *, engine: Engine = "compiled", spans: Sequence[Span] = ()) -> Findings:
    """Everything `document` says, in reading order; one finding of kind `mention` for each of `spans` as well."""
    folded = fold(document.text)
    mentions = find_mentions(normalise(folded), lexicon)
    items = [
        Finding("problem", m.start, m.end, document.text[m.start : m.end],
                concepts=tuple((e.system, e.code, e.score) for e in m.entries))
        for m in mentions
    ]  # fmt: skip
    items += [Finding("mention", a, b, document.text[a:b]) for a, b in spans]
    return Findings(tuple(sorted(items, key=lambda f: (f.start, f.end))))
