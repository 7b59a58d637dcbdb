"""PDF pages: triage, text layer with boxes, rendering (ISO 32000-1), all by PDFium."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pypdfium2 as pdfium

from extractors.pages import wire
from extractors.pages.drawn import fitting, to_png
from extractors.pages.layer import read_layer
from extractors.pages.layout import lay_out
from extractors.pages.limits import Limits, Refused
from extractors.pages.ocr import Readers
from extractors.pages.ruled import MOST_CHARS, MOST_PATHS, find_ruled, place_ruled
from extractors.pages.scan import Scan, scan, to_seen
from extractors.pages.sources import Allow
from extractors.pages.tokens import Token
from extractors.pages.triage import Facts, decide, facts_of

BROKEN = "The PDF is damaged or cut short. Print it to a new PDF and send that."
LOCKED = "The PDF is protected with a password. Send it without one."
FULL_DPI = 300.0
PRIOR, SEEN = 80.0, 50.0  # confidence in a layer that OCR made elsewhere; the least for words of an image on a page
IMAGE_SLACK = 4  # an image may be finer than a page is rendered: 1200 dpi in black and white


class PdfSource:
    """An open PDF."""

    def __init__(self, data: bytes, limits: Limits, readers: Readers) -> None:
        self._limits, self._readers, self._data = limits, readers, data
        try:
            self._document = pdfium.PdfDocument(data)
            self.pages = len(self._document)
        except pdfium.PdfiumError as error:
            if "password" in str(error).lower():
                raise Refused("security", LOCKED) from None
            raise Refused("structure", BROKEN) from None
        if self.pages > limits.pages:
            raise Refused(
                "too-long", f"The PDF says it has {self.pages:,} pages, over {limits.pages}. Send it in parts."
            )
        if self.pages == 0:
            raise Refused("structure", "The PDF has no pages. Send the document itself.")

    def page(self, number: int, allow: Allow) -> wire.PageRead:
        """Decide how a page is read, and read it."""
        allow(self._limits.look_seconds)
        try:
            page = self._document[number - 1]
        except pdfium.PdfiumError:
            raise Refused("structure", BROKEN) from None
        try:
            return self._read(page, number, allow)
        finally:
            page.close()

    def draw(self, wanted: wire.Draw) -> bytes:
        """The page as PDFium shows it, in gray."""
        try:
            page = self._document[wanted.number - 1]
        except pdfium.PdfiumError:
            raise Refused("structure", BROKEN) from None
        try:
            self._facts(page)
            width, height = page.get_size()
            scale = fitting(wanted.width, width, height) / max(width, 1.0)
            left, top, across, down = wanted.crop
            sides = (left * width, (1 - top - down) * height, (1 - left - across) * width, top * height)
            bitmap = page.render(scale=scale, grayscale=True, crop=tuple(max(side, 0.0) for side in sides))
            pixels = np.array(bitmap.to_numpy(), dtype=np.uint8)
            bitmap.close()
            return to_png(pixels.reshape(pixels.shape[0], pixels.shape[1]))
        finally:
            page.close()

    def _facts(self, page: pdfium.PdfPage) -> Facts:
        """What is on the page; one with an image that is too large is refused."""
        facts = facts_of(page)
        if facts.image_pixels > IMAGE_SLACK * self._limits.pixels:
            raise Refused(
                "too-costly",
                f"An image of the page has {facts.image_pixels / 1e6:,.0f} million pixels. Scan it at 300 dpi.",
            )
        return facts

    def _read(self, page: pdfium.PdfPage, number: int, allow: Allow) -> wire.PageRead:
        facts = self._facts(page)
        method = decide(facts)
        width, height = page.get_size()
        made = wire.PageRead(number, round(width, 2), round(height, 2), method, rotation=page.get_rotation())
        if method == "empty":
            return made
        if method == "ocr":
            return self._ocr_page(page, facts, made, allow)
        allow(self._limits.open_seconds)
        tokens = read_layer(page, self._limits.page_words, PRIOR if method == "prior-ocr" else 100.0)
        made.engine = f"pdfium {pdfium.PDFIUM_INFO}"
        if method == "hybrid":
            read = self._ocr_page(page, facts, made, allow)
            tokens += _beside(read.words, tokens, width, height)
            made.method, made.engine = "hybrid", f"pdfium {pdfium.PDFIUM_INFO}, {read.engine}"
        placed = lay_out(tokens)
        ruled = facts.rulings >= 4 and facts.paths <= MOST_PATHS and facts.chars <= MOST_CHARS
        if method == "text" and ruled and self._plain(page):
            allow(self._limits.page_seconds)
            placed = place_ruled(placed, find_ruled(self._data, number))
        made.words = to_seen(placed.tokens, placed.lines, placed.gaps, np.diag([width, height, 1.0]))
        made.grids = placed.grids
        return made

    def _ocr_page(self, page: pdfium.PdfPage, facts: Facts, made: wire.PageRead, allow: Allow) -> wire.PageRead:
        dpi = self._dpi(facts, *page.get_size())
        allow(self._limits.open_seconds)
        gray = self._render(page, dpi)
        allow(self._limits.page_seconds)
        result = scan(Scan(gray, dpi), self._readers)
        made.method = "ocr" if result.words else "empty"
        made.words, made.grids, made.engine, made.dpi = result.words, result.grids, result.engine, round(dpi, 1)
        made.rotation, made.steps = (made.rotation + result.rotation) % 360, result.steps
        return made

    def _plain(self, page: pdfium.PdfPage) -> bool:
        """Whether points mean the same to every library: no rotation, no crop."""
        box = page.get_mediabox()
        return bool(page.get_rotation() == 0 and box == page.get_cropbox() and tuple(box[:2]) == (0, 0))

    def _dpi(self, facts: Facts, width: float, height: float) -> float:
        dpi = FULL_DPI
        if facts.image_share > 0.6 and facts.image_dpi:
            dpi = min(FULL_DPI, max(facts.image_dpi, 72.0))
        return float(min(dpi, 72.0 * (self._limits.pixels / max(width * height, 1.0)) ** 0.5))

    def _render(self, page: pdfium.PdfPage, dpi: float) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        bitmap = page.render(scale=dpi / 72, grayscale=True)
        pixels = np.array(bitmap.to_numpy(), dtype=np.uint8)
        bitmap.close()
        return pixels.reshape(pixels.shape[0], pixels.shape[1])

    def close(self) -> None:
        """Let go of the document."""
        self._document.close()


def _beside(words: Sequence[wire.Seen], layer: Sequence[Token], width: float, height: float) -> list[Token]:
    """The words that OCR read where the text layer has none."""
    added = []
    for word in words:
        xs, ys = [x * width for x in word.quad[::2]], [y * height for y in word.quad[1::2]]
        token = Token(word.text, word.confidence, min(xs), min(ys), max(xs), max(ys))
        x, y = (token.x0 + token.x1) / 2, token.middle
        known = any(t.x0 - 2 <= x <= t.x1 + 2 and t.y0 - 2 <= y <= t.y1 + 2 for t in layer)
        if not known and token.confidence >= SEEN:
            added.append(token)
    return added
