"""PDF pages: triage, text layer with boxes, rendering (ISO 32000-1), all by PDFium."""

from __future__ import annotations

import numpy as np
import pypdfium2 as pdfium

from extractors.pages import wire
from extractors.pages.layer import read_layer
from extractors.pages.layout import lay_out
from extractors.pages.limits import Limits, Refused
from extractors.pages.scan import Scan, scan, to_seen
from extractors.pages.sources import Allow
from extractors.pages.triage import Facts, decide, facts_of

BROKEN = "The PDF is damaged or cut short. Print it to a new PDF and send that."
LOCKED = "The PDF is protected with a password. Send it without one."
FULL_DPI = 300.0


class PdfSource:
    """An open PDF."""

    def __init__(self, data: bytes, limits: Limits, ocr: str) -> None:
        self._limits, self._ocr, self._data = limits, ocr, data
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
        allow(self._limits.open_seconds)
        try:
            page = self._document[number - 1]
        except pdfium.PdfiumError:
            raise Refused("structure", BROKEN) from None
        try:
            return self._read(page, number, allow)
        finally:
            page.close()

    def _read(self, page: pdfium.PdfPage, number: int, allow: Allow) -> wire.PageRead:
        facts = facts_of(page)
        method = decide(facts)
        width, height = page.get_size()
        made = wire.PageRead(number, round(width, 2), round(height, 2), method, rotation=page.get_rotation())
        if method == "empty":
            return made
        if method in ("text", "prior-ocr", "hybrid"):
            tokens = read_layer(page, self._limits.page_words, 100.0 if method != "prior-ocr" else 80.0)
            placed = lay_out(tokens)
            made.words = to_seen(placed.tokens, placed.lines, placed.gaps, np.diag([width, height, 1.0]))
            made.grids, made.engine = placed.grids, f"pdfium {pdfium.PDFIUM_INFO}"
            return made
        dpi = self._dpi(facts, width, height)
        gray = self._render(page, dpi)
        allow(self._limits.page_seconds)
        result = scan(Scan(gray, dpi, False), self._ocr)
        made.method = "ocr" if result.words else "empty"
        made.words, made.grids, made.engine, made.dpi = result.words, result.grids, result.engine, dpi
        made.rotation, made.steps = (made.rotation + result.rotation) % 360, result.steps
        return made

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
