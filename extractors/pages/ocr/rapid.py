"""The recogniser of lines of RapidOCR (PP-OCRv6, https://github.com/RapidAI/RapidOCR), run by onnxruntime.

Its weights lie in the wheel of `rapidocr`, whose own code is not run: nothing is ever downloaded.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files, version
from itertools import groupby

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from extractors.pages.tokens import Token

MODEL = "PP-OCRv6_rec_small.onnx"
HEIGHT = 48  # pixels of a line as the network takes it
NARROWEST, WIDEST = 48, 3200  # pixels at that height
BLANK = 0  # class that parts letters (connectionist temporal classification)
FURTHER = "°µ×±≤≥–—’‘“”½¼"  # beside ASCII: what clinical English is printed with


class Rapid:
    """One recogniser on one thread; its time is bounded by the process it lives in."""

    def __init__(self) -> None:
        self.name = f"rapidocr {version('rapidocr')}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(_weights(), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        letters = ["", *self._session.get_modelmeta().custom_metadata_map["character"].split("\n"), " "]
        self._classes = np.array(
            [BLANK, *(at for at, one in enumerate(letters) if len(one) == 1 and (one.isascii() or one in FURTHER))]
        )
        self._letters = [letters[at] for at in self._classes]

    def read_line(self, image: NDArray[np.uint8]) -> list[Token]:
        """The letters of the line, left to right, each a token; spaces are among them."""
        height, width = image.shape
        wide = int(min(max(width * HEIGHT / height, NARROWEST), WIDEST))
        scaled = cv2.resize(image, (wide, HEIGHT), interpolation=cv2.INTER_AREA if height > HEIGHT else cv2.INTER_CUBIC)
        network = np.repeat((scaled.astype(np.float32) / 127.5 - 1.0)[None, None], 3, axis=1)
        chances = self._session.run(None, {self._input: network})[0][0][:, self._classes]
        return self._letters_in(chances, width / len(chances), float(height))

    def _letters_in(self, chances: NDArray[np.float32], step: float, height: float) -> list[Token]:
        """The likeliest letters; `step` is the width in pixels of a row of `chances`."""
        found: list[Token] = []
        at = 0
        for kind, run in groupby(chances.argmax(axis=1).tolist()):
            start, at = at, at + len(list(run))
            if kind != BLANK:
                sure = 100.0 * float(chances[start:at, kind].max())
                found.append(Token(self._letters[kind], sure, start * step, 0.0, at * step, height))
        return found


def _weights() -> str:
    try:
        listed = files("rapidocr") or []
    except PackageNotFoundError:
        listed = []
    for item in listed:
        if item.name == MODEL:
            return str(item.locate())
    raise FileNotFoundError("The wheel of rapidocr has no weights of the expected name.")
