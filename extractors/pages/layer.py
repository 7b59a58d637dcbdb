"""The text layer of a PDF page: words with the boxes their fonts give them."""

from __future__ import annotations

import ctypes

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractors.pages.limits import Refused
from extractors.pages.tokens import Token

CHARS = 200_000
UNIT = 1000.0
LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\x02": "-",
    "\u00ad": "-",
}


def read_layer(page: pdfium.PdfPage, most: int, confidence: float) -> list[Token]:
    """The page's words in points from the top left, as a reader sees the page."""
    layer = page.get_textpage()
    try:
        return _words(layer, _to_page(page), most, confidence)
    finally:
        layer.close()


def _words(layer: pdfium.PdfTextPage, place: tuple[float, ...], most: int, confidence: float) -> list[Token]:
    a, b, c, d, e, f = place
    handle = layer.raw
    words: list[Token] = []
    word: Token | None = None
    box = raw.FS_RECTF()
    for index in range(min(layer.count_chars(), CHARS)):
        value = raw.FPDFText_GetUnicode(handle, index)
        char = chr(value) if value < 0x110000 else "\ufffd"
        char = LIGATURES.get(char, char)
        if char.isspace() or not value or not raw.FPDFText_GetLooseCharBox(handle, index, ctypes.byref(box)):
            word = None
            continue
        xs = (a * box.left + c * box.bottom + e, a * box.right + c * box.top + e)
        ys = (b * box.left + d * box.bottom + f, b * box.right + d * box.top + f)
        x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
        if word is not None and not _joins(word, x0, y0, y1):
            word = None
        if word is None:
            if len(words) >= most:
                raise Refused("too-costly", f"The page has over {most:,} words. Send it as an image.")
            word = Token(char, confidence, x0, y0, x1, y1)
            words.append(word)
        else:
            word.text += char
            word.x0, word.y0, word.x1, word.y1 = min(word.x0, x0), min(word.y0, y0), max(word.x1, x1), max(word.y1, y1)
    return [word for word in words if word.text.strip()]


def _joins(word: Token, x0: float, y0: float, y1: float) -> bool:
    """Whether a character goes on with the word: same height, no gap that a space would fill."""
    size = max(word.height, y1 - y0, 1.0)
    level = min(word.y1, y1) - max(word.y0, y0) > 0.3 * min(word.height, y1 - y0)
    return level and -0.5 * size < x0 - word.x1 < 0.25 * size


def _to_page(page: pdfium.PdfPage) -> tuple[float, ...]:
    """The affine map from PDF user space to points from the top left of the page as seen, cropped and rotated."""
    width, height = page.get_size()

    def place(x: float, y: float) -> tuple[float, float]:
        left, top = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(
            page.raw, 0, 0, int(width * UNIT), int(height * UNIT), 0, x, y, ctypes.byref(left), ctypes.byref(top)
        )
        return left.value / UNIT, top.value / UNIT

    (e, f), (ax, bx), (cx, dx) = place(0, 0), place(100, 0), place(0, 100)
    return (ax - e) / 100, (bx - f) / 100, (cx - e) / 100, (dx - f) / 100, e, f
