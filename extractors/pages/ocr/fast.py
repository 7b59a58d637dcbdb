"""Tesseract in the process, by tesserocr: no start-up cost per page."""

from __future__ import annotations

import numpy as np
import tesserocr
from numpy.typing import NDArray

from extractors.pages.ocr.tessdata import LANGUAGE, tessdata
from extractors.pages.ocr.tsv import parse_tsv
from extractors.pages.tokens import Token


class Fast:
    """One long-lived Tesseract; its time is bounded by the process it lives in."""

    def __init__(self) -> None:
        self.name = f"tesserocr {tesserocr.tesseract_version().split()[1]}"
        self._path = tessdata()
        self._api = tesserocr.PyTessBaseAPI(
            path=self._path, lang=LANGUAGE, psm=tesserocr.PSM.AUTO, oem=tesserocr.OEM.LSTM_ONLY
        )

    def read(self, image: NDArray[np.uint8], dpi: float) -> list[Token]:
        """The words of a page."""
        return self._recognize(image, dpi, tesserocr.PSM.AUTO)

    def read_block(self, image: NDArray[np.uint8], dpi: float) -> list[Token]:
        """The words of an image that is one block of lines."""
        return self._recognize(image, dpi, tesserocr.PSM.SINGLE_BLOCK)

    def turn(self, image: NDArray[np.uint8], dpi: float) -> tuple[int, float]:
        """Clockwise degrees that would set the page upright, and the confidence in that."""
        with tesserocr.PyTessBaseAPI(path=self._path, lang="osd", psm=tesserocr.PSM.OSD_ONLY) as api:
            _set(api, image, dpi)
            found = api.DetectOrientationScript()
        return (int(found["orient_deg"]), float(found["orient_conf"])) if found else (0, 0.0)

    def _recognize(self, image: NDArray[np.uint8], dpi: float, mode: int) -> list[Token]:
        self._api.SetPageSegMode(mode)
        _set(self._api, image, dpi)
        try:
            return parse_tsv(self._api.GetTSVText(0))
        finally:
            self._api.Clear()


def _set(api: tesserocr.PyTessBaseAPI, image: NDArray[np.uint8], dpi: float) -> None:
    height, width = image.shape
    api.SetImageBytes(np.ascontiguousarray(image).tobytes(), width, height, 1, width)
    api.SetSourceResolution(int(dpi))
