"""OCR engines behind one call: an image in, tokens out. `auto` takes the first that is installed."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from extractors.pages.limits import Refused
from extractors.pages.tokens import Token

ENGINES = ("tesserocr", "pytesseract")


class Engine(Protocol):
    """Reads level, upright gray images; boxes are in their pixels."""

    name: str

    def read(self, image: NDArray[np.uint8], dpi: float) -> list[Token]:
        """The words of a page."""

    def read_block(self, image: NDArray[np.uint8], dpi: float) -> list[Token]:
        """The words of an image that is one block of lines."""

    def turn(self, image: NDArray[np.uint8], dpi: float) -> tuple[int, float]:
        """Clockwise degrees that would set the page upright, and the confidence in that."""


@lru_cache(maxsize=4)
def engine(choice: str) -> Engine:
    """The engine by its name or `auto`; raises `Refused` when it is not installed."""
    for name in ENGINES if choice == "auto" else (choice,):
        try:
            if name == "tesserocr":
                from extractors.pages.ocr.fast import Fast

                return Fast()
            if name == "pytesseract":
                from extractors.pages.ocr.binary import Binary

                return Binary()
        except (ImportError, FileNotFoundError, RuntimeError):
            continue
    raise Refused("not-supported", "The page is an image and the OCR engine asked for is not installed here.")
