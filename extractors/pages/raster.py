"""TIFF, PNG and JPEG as pages; sizes are checked before pixels are decoded."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from extractors.pages import wire
from extractors.pages.drawn import fitting, to_png
from extractors.pages.limits import Limits, Refused
from extractors.pages.ocr import Readers
from extractors.pages.scan import Scan, scan
from extractors.pages.sources import Allow

Image.MAX_IMAGE_PIXELS = None  # our own bound is tighter and is checked first
Gray = NDArray[np.uint8]
LETTER_INCHES = 8.5
DAMAGED = "The image is damaged or cut short. Scan it again."


class RasterSource:
    """An image file; each frame of a TIFF is a page."""

    def __init__(self, data: bytes, limits: Limits, readers: Readers) -> None:
        warnings.simplefilter("ignore")
        self._limits, self._readers = limits, readers
        try:
            self._image = Image.open(io.BytesIO(data), formats=("TIFF", "PNG", "JPEG"))
            self.pages = self._count(limits.pages)
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError, EOFError):
            raise Refused("structure", DAMAGED) from None
        if self.pages > limits.pages:
            raise Refused("too-long", f"The image has over {limits.pages} pages. Send it in parts.")
        if self.pages == 1:
            self._fit()

    def _count(self, most: int) -> int:
        if self._image.format != "TIFF":
            return 1
        count = 0
        while count <= most:
            try:
                self._image.seek(count)
            except EOFError:
                break
            count += 1
        self._image.seek(0)
        return max(count, 1)

    def _fit(self) -> None:
        """Refuse a frame with too many pixels; a JPEG is decoded at a fraction instead."""
        width, height = self._image.size
        if width * height > self._limits.pixels and self._image.format == "JPEG":
            for part in (2, 4, 8):
                if (width // part) * (height // part) <= self._limits.pixels:
                    self._image.draft("L", (width // part, height // part))
                    return
        if width * height > self._limits.pixels:
            raise Refused(
                "too-costly",
                f"The page image has {width * height / 1e6:,.0f} million pixels, "
                f"over {self._limits.pixels / 1e6:g} million. "
                "Scan it at 300 dpi.",
            )

    def page(self, number: int, allow: Allow) -> wire.PageRead:
        """Decode a frame and read it."""
        gray, dpi, turned = self._frame(number)
        allow(self._limits.page_seconds)
        height, width = gray.shape
        dpi = plausible_dpi(width, height, dpi)
        result = scan(Scan(gray, dpi), self._readers)
        return wire.PageRead(
            number,
            round(width * 72 / dpi, 2),
            round(height * 72 / dpi, 2),
            "ocr" if result.words else "empty",
            result.words,
            result.grids,
            result.engine,
            dpi,
            (turned + result.rotation) % 360,
            result.steps,
        )

    def draw(self, wanted: wire.Draw) -> bytes:
        """The frame upright, in gray."""
        gray, _, _ = self._frame(wanted.number)
        height, width = gray.shape
        left, top, across, down = wanted.crop
        scale = fitting(wanted.width, width, height) / width
        sides = (left * width, top * height, (left + across) * width, (top + down) * height)
        size = max(round(across * width * scale), 1), max(round(down * height * scale), 1)
        part = Image.fromarray(gray).resize(size, Image.Resampling.BOX if scale < 1 else None, box=sides)
        return to_png(np.asarray(part))

    def _frame(self, number: int) -> tuple[Gray, float, int]:
        """A frame as a reader sees it, its dpi as the file says it, and the degrees that it was turned for that."""
        try:
            self._image.seek(number - 1)
            self._fit()
            dpi = float(self._image.info.get("dpi", (0, 0))[0] or 0)
            turned = {3: 180, 6: 90, 8: 270}.get(self._image.getexif().get(0x0112, 1), 0)
            return to_gray(ImageOps.exif_transpose(self._image)), dpi, turned
        except (OSError, ValueError, SyntaxError, KeyError, EOFError, TypeError, ZeroDivisionError, RuntimeError):
            raise Refused("structure", DAMAGED) from None

    def close(self) -> None:
        """Let go of the file."""
        self._image.close()


def to_gray(image: Image.Image) -> Gray:
    """Gray pixels; transparent pixels are paper."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image)
        image = paper
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image.convert("F"), dtype=np.float32)
        top = float(deep.max()) or 1.0
        return (deep * (255.0 / max(top, 255.0))).astype(np.uint8)
    return np.asarray(image.convert("L"))


def plausible_dpi(width: int, height: int, said: float) -> float:
    """`said` when it makes a page of 3 to 17 inches, else what makes the short side a Letter page's."""
    short = min(width, height)
    if said >= 50 and 3 <= short / said <= 17 and max(width, height) / said <= 24:
        return said
    return max(40.0, short / LETTER_INCHES)
