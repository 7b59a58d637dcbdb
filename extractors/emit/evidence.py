"""From a span of the text to the page and the boxes of its words, and to the extensions that carry them.

http://hl7.org/fhir/extensions/StructureDefinition-derivation-reference.html
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from extractors.emit.clean import clean
from extractors.emit.source import Source
from extractors.model import Document, Page, Span, Word
from fhir_profiles.systems import CONFIDENCE, DERIVATION_REFERENCE, EVIDENCE_BOX


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page; the four sides are fractions of the page as a reader sees it, from the top left.

    `text` are the words in it.
    """

    page: int
    left: float
    top: float
    width: float
    height: float
    text: str = ""


def boxes(document: Document, start: int, end: int) -> list[Box]:
    """One box for each line of words that `[start, end)` touches, in reading order; none without pages."""
    return [_around(page.number, line) for page in _pages(document, start, end) for line in _lines(page, start, end)]


def page_of(document: Document, offset: int) -> int | None:
    """The number of the page that holds `offset`, None for a document without pages."""
    return next((page.number for page in _pages(document, offset, offset + 1)), None)


def _pages(document: Document, start: int, end: int) -> Iterable[Page]:
    """The pages that the span touches; pages stand in the order of the text."""
    first = max(bisect_right(document.pages, start, key=lambda page: page.start) - 1, 0)
    for page in document.pages[first:]:
        if page.start >= end:
            return
        if page.end > start:
            yield page


def _lines(page: Page, start: int, end: int) -> list[list[Word]]:
    """The words of the page that the span touches, a list for each printed line."""
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        if word.start < end and word.end > start:
            lines.setdefault(word.line, []).append(word)
    return list(lines.values())


def _around(page: int, words: list[Word]) -> Box:
    """The smallest upright box around the words' quads, clipped to the page."""
    xs = [min(max(x, 0.0), 1.0) for word in words for x in word.quad[0::2]]
    ys = [min(max(y, 0.0), 1.0) for word in words for y in word.quad[1::2]]
    text = clean(" ".join(word.text for word in words))
    return Box(page, min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys), text)


def evidence(source: Source, document: Document, spans: Iterable[Span]) -> list[dict[str, Any]]:
    """The extensions of a coding that rests on `spans`: each with its place in the text, then its boxes."""
    out = []
    for start, end in dict.fromkeys(spans):
        out.append(_derivation(source, start, end))
        out.extend(_box(box) for box in boxes(document, start, end))
    return out


def confidence(value: float) -> dict[str, Any]:
    """The extension that says how sure the coding is, 0 to 1."""
    return {"url": CONFIDENCE, "valueDecimal": fraction(value, 3)}


def _derivation(source: Source, start: int, end: int) -> dict[str, Any]:
    return {
        "url": DERIVATION_REFERENCE,
        "extension": [
            {"url": "reference", "valueReference": source.reference},
            {"url": "path", "valueString": source.path},
            {"url": "offset", "valueInteger": start},
            {"url": "length", "valueInteger": end - start},
        ],
    }


def _box(box: Box) -> dict[str, Any]:
    sides = (("left", box.left), ("top", box.top), ("width", box.width), ("height", box.height))
    return {
        "url": EVIDENCE_BOX,
        "extension": [
            {"url": "page", "valuePositiveInt": box.page},
            *({"url": name, "valueDecimal": fraction(value, 5)} for name, value in sides),
            *([{"url": "text", "valueString": box.text}] if box.text else []),
        ],
    }


def fraction(value: float, places: int) -> Decimal:
    """A fraction with a fixed number of decimals: five of them are a hundredth of a millimetre on a page."""
    return Decimal(f"{value:.{places}f}")
