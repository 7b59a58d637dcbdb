"""The text layer of a PDF page: words with the boxes their fonts give them."""

from __future__ import annotations

import ctypes

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractors.pages.limits import Refused
from extractors.pages.tokens import Token

CHARS = 200_000
UNIT = 1000.0
Char = tuple[str, float, float, float, float]
SPACES = frozenset([0, *(code for code in range(0x3001) if chr(code).isspace())])
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
    handle, box = layer.raw, raw.FS_RECTF()
    unicode, loose, reference = raw.FPDFText_GetUnicode, raw.FPDFText_GetLooseCharBox, ctypes.byref(box)
    words: list[Token] = []
    run: list[Char] = []
    for index in range(min(layer.count_chars(), CHARS)):
        value = unicode(handle, index)
        if value in SPACES or not loose(handle, index, reference):
            if run:
                words += _split(run, place, confidence)
                run = []
            if len(words) > most:
                raise Refused("too-costly", f"The page has over {most:,} words. Send it as an image.")
            continue
        char = chr(value) if value < 0x110000 else "\ufffd"
        run.append((LIGATURES.get(char, char), box.left, box.bottom, box.right, box.top))
    return words + _split(run, place, confidence)


def _split(run: list[Char], place: tuple[float, ...], confidence: float) -> list[Token]:
    """A run of characters as words: parted where the next one stands at another height or too far on."""
    words: list[Token] = []
    start = 0
    for at in range(1, len(run) + 1):
        if at == len(run) or not _joins(run[at - 1], run[at]):
            words.append(_token(run[start:at], place, confidence))
            start = at
    return [word for word in words if word.text.strip()]


def _joins(one: Char, two: Char) -> bool:
    """Whether two characters stand side by side, whichever way the page is turned."""
    _, left, bottom, right, top = one
    _, left2, bottom2, right2, top2 = two
    size = max(right - left, top - bottom, right2 - left2, top2 - bottom2)
    across = max(left, left2) - min(right, right2)
    along = max(bottom, bottom2) - min(top, top2)
    return across < 0.25 * size and along < 0.25 * size and min(across, along) < -0.1 * size


def _token(run: list[Char], place: tuple[float, ...], confidence: float) -> Token:
    a, b, c, d, e, f = place
    left, bottom = min(char[1] for char in run), min(char[2] for char in run)
    right, top = max(char[3] for char in run), max(char[4] for char in run)
    xs = (a * left + c * bottom + e, a * right + c * top + e)
    ys = (b * left + d * bottom + f, b * right + d * top + f)
    text = "".join(char[0] for char in run)
    return Token(text, confidence, min(xs), min(ys), max(xs), max(ys))


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
