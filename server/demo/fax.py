"""A letter as a fax machine would deliver it: 200 dpi, black and white, noisy, a little askew, Group 4 TIFF."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from server.demo.letter import PAGES, Block

DPI = 200
WIDTH, HEIGHT = 1700, 2200
MARGIN = 150
Font = ImageFont.FreeTypeFont


def fax(pages: Sequence[Sequence[Block]] = PAGES, seed: int = 20260313) -> bytes:
    """The pages as one multi-page TIFF; the same seed gives the same bytes."""
    noise = np.random.default_rng(seed)
    images = [_transmit(_print(page), noise) for page in pages]
    out = BytesIO()
    images[0].save(out, "TIFF", compression="group4", dpi=(DPI, DPI), save_all=True, append_images=images[1:])
    return out.getvalue()


def font(points: float) -> Font:
    """The scalable font that Pillow carries, in points at the fax's resolution."""
    loaded = ImageFont.load_default(round(points * DPI / 72))
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType; install its wheel.")
    return loaded


def _print(blocks: Sequence[Block]) -> Image.Image:
    """The clean page in grey levels."""
    page = Image.new("L", (WIDTH, HEIGHT), 255)
    pen, y = ImageDraw.Draw(page), 60.0
    for block in blocks:
        y = _block(pen, block, y)
    return page


def _block(pen: ImageDraw.ImageDraw, block: Block, y: float) -> float:
    """Draw one block at `y`; the `y` of the next one."""
    if block.style == "rule":
        pen.line((MARGIN, y + 8, WIDTH - MARGIN, y + 8), fill=0, width=3)
        return y + 26
    if block.style == "space":
        return y + 60
    if block.style == "table":
        return _table(pen, block, y)
    points, bold, indent, after = {
        "fax": (8.0, 0, 0, 40),
        "title": (13.0, 1, 0, 10),
        "heading": (10.5, 1, 0, 4),
        "text": (11.0, 0, 24, 14),
        "sign": (10.5, 0, 24, 14),
    }[block.style]
    face = font(points)
    y += 12 if block.style == "heading" else 0
    for n, line in enumerate(block.lines):
        size = font(9.5) if block.style == "title" and n else face
        _write(pen, MARGIN + indent, y, line, size, 0 if n else bold)
        y += size.size * 1.95
    return y + after


def _write(pen: ImageDraw.ImageDraw, x: float, y: float, text: str, face: Font, bold: int) -> None:
    """One line; the font's own space is too narrow for a typed letter."""
    for word in text.split(" "):
        pen.text((x, y), word, fill=0, font=face, stroke_width=bold)
        x += pen.textlength(word, font=face) + face.size * 0.32


def _table(pen: ImageDraw.ImageDraw, block: Block, y: float) -> float:
    """Rows of cells with a rule under each."""
    face, width = font(11.0), WIDTH - 2 * MARGIN - 24
    for n, row in enumerate(block.rows):
        for cell, left in zip(row, block.columns, strict=True):
            _write(pen, MARGIN + 24 + left * width, y, cell, face, 0 if n else 1)
        y += face.size * 1.6
        pen.line((MARGIN + 12, y, WIDTH - MARGIN, y), fill=0, width=1)
        y += 6
    return y + 14


def _transmit(page: Image.Image, noise: np.random.Generator) -> Image.Image:
    """Feed the page crookedly, blur it, add speckle and lost lines, and keep one bit a pixel."""
    crooked = page.rotate(0.45 * noise.choice([-1, 1]), Image.Resampling.BICUBIC, fillcolor=255)
    grey = np.asarray(crooked.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    white = grey + noise.normal(0, 20, grey.shape) > 150
    speckle = noise.random(grey.shape)
    white[speckle < 0.0009] = False
    white[speckle > 0.9991] = True
    white[noise.integers(0, grey.shape[0], 3)] = True
    return Image.fromarray((white * 255).astype(np.uint8)).convert("1", dither=Image.Dither.NONE)
