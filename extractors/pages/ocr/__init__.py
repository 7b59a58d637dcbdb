"""OCR engines behind one call: an image in, tokens out. `auto` takes the first that is installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from extractors.pages.limits import Refused
from extractors.pages.tokens import Token

ENGINES = ("tesserocr", "pytesseract")
OFF = "off"


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads a page image: an engine by its name or `auto`, and a second reader of what is worth it, or `off`.

    The second reads at most `pieces` pieces of lines and begins none when `seconds` of CPU are over.
    """

    first: str = "auto"
    second: str = OFF
    pieces: int = 200
    seconds: float = 6.0


class LineReader(Protocol):
    """Reads an image of one line; boxes are in its pixels."""

    name: str

    def read_line(self, image: NDArray[np.uint8]) -> list[Token]:
        """The letters of the line, left to right, each a token; spaces are among them."""


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


@lru_cache(maxsize=2)
def second_reader(choice: str) -> LineReader | None:
    """The reader of doubtful lines: None for `off`; raises `Refused` when it is not installed."""
    if choice == OFF:
        return None
    try:
        if choice == "rapidocr":
            from extractors.pages.ocr.rapid import Rapid

            return Rapid()
    except (ImportError, FileNotFoundError, RuntimeError):
        pass
    raise Refused("not-supported", "The second reader asked for is not installed here: install the extra `ocr`.")
