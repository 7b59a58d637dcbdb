"""How a PDF page is to be read, by facts that cost milliseconds."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractors.model import PageMethod
from extractors.pages.limits import Refused

OBJECTS, MOST_OBJECTS = 5_000, 200_000  # more are not looked at; more are not drawn
TEXT_CHARS = 200_000
TALL = 10.0  # points: a path that is higher may be the upright ruling of a table
INVISIBLE = 3  # text render mode
WORD = re.compile(r"[A-Za-z]{3,}")
BAD = re.compile(r"[\ufffd\ue000-\uf8ff\x00\x01\x03-\x08\x0e-\x1f\x7f-\x9f]")  # private, control or no character
VOWEL = re.compile(r"[AEIOUYaeiouy]")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a page shows without reading it. Shares are 0–1 of the page's area, of its characters or text objects."""

    chars: int
    bad_share: float
    vowel_share: float
    words: int
    image_share: float
    image_dpi: float
    image_pixels: int
    texts: int
    invisible_share: float
    paths: int
    rulings: int


def facts_of(page: pdfium.PdfPage) -> Facts:
    """Count what stands on the page."""
    width, height = page.get_size()
    area = max(width * height, 1.0)
    share = dpi = 0.0
    pixels = 0
    texts = invisible = paths = rulings = 0
    if raw.FPDFPage_CountObjects(page.raw) > MOST_OBJECTS:
        raise Refused("too-costly", "The page is drawn of too many pieces. Send it as an image at 300 dpi.")
    for index, item in enumerate(page.get_objects(max_depth=3)):
        if index >= OBJECTS:
            break
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            wide, high = item.get_px_size()
            pixels = max(pixels, wide * high)
            part = max(0.0, min(right, width) - max(left, 0)) * max(0.0, min(top, height) - max(bottom, 0)) / area
            if part > share:
                share = part
                dpi = wide * 72 / max(right - left, 1.0)
        elif item.type == raw.FPDF_PAGEOBJ_TEXT:
            texts += 1
            invisible += raw.FPDFTextObj_GetTextRenderMode(item.raw) == INVISIBLE
        elif item.type == raw.FPDF_PAGEOBJ_PATH:
            paths += 1
            _, bottom, _, top = item.get_bounds()
            if top - bottom > TALL:
                rulings += raw.FPDFPath_CountSegments(item.raw)
    layer = page.get_textpage()
    count = layer.count_chars()
    text = layer.get_text_range(0, min(count, TEXT_CHARS)) if count > 0 else ""
    layer.close()
    solid = len("".join(text.split()))
    words = WORD.findall(text)
    return Facts(
        chars=solid,
        bad_share=len(BAD.findall(text)) / solid if solid else 0.0,
        vowel_share=sum(1 for word in words if VOWEL.search(word)) / len(words) if words else 1.0,
        words=len(words),
        image_share=share,
        image_dpi=dpi,
        image_pixels=pixels,
        texts=texts,
        invisible_share=invisible / texts if texts else 0.0,
        paths=paths,
        rulings=rulings,
    )


def decide(facts: Facts) -> PageMethod:
    """Text layer, earlier OCR's layer, OCR, both, or nothing."""
    if facts.chars and facts.bad_share > 0.02:
        return "ocr"
    if facts.chars < 20:
        if facts.image_share > 0.05 or facts.paths > 50:
            return "ocr"
        return "text" if facts.chars else "empty"
    if facts.words >= 5 and facts.vowel_share < 0.6:
        return "ocr"
    if facts.image_share > 0.6 and facts.invisible_share >= 0.8:
        return "prior-ocr"
    if facts.image_share > 0.15:
        return "hybrid"
    return "text"
