"""Pages drawn for people: how large, and as PNG (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PIXELS = 12_000_000
"""Most pixels of a drawn page; a long one is drawn narrower."""

LEVELS = 16
"""Grays of a page that is nearly all ink and paper: four bits a pixel instead of eight, and nobody sees it."""

PLAIN = 0.9
"""The share of ink and paper from which a page is such a one."""

SMALL = 300
"""Pixels of width up to which every page is drawn so: a thumbnail."""

_NEAR = 40
_TO_LEVEL = ((np.arange(256) * (LEVELS - 1) + 127) // 255).astype(np.uint8)
_PACKING = 4  # of zlib: half the time of the default for a few percent


def fitting(width: int, across: float, down: float) -> float:
    """The width in pixels at which a page of these proportions is drawn when `width` is asked for."""
    return float(min(width, (PIXELS * across / max(down, 1e-6)) ** 0.5))


def to_png(gray: NDArray[np.uint8]) -> bytes:
    """The pixels as PNG, in 16 grays of a palette where they are few or ink on paper, else in 256."""
    extreme = int(np.count_nonzero(gray > 255 - _NEAR)) + int(np.count_nonzero(gray < _NEAR))
    made = io.BytesIO()
    if extreme < PLAIN * gray.size and gray.shape[1] > SMALL:
        Image.fromarray(gray).save(made, "PNG", compress_level=_PACKING)
        return made.getvalue()
    image = Image.fromarray(_TO_LEVEL[gray], "P")
    image.putpalette([level * 255 // (LEVELS - 1) for level in range(LEVELS) for _ in range(3)])
    image.save(made, "PNG", compress_level=_PACKING, bits=4)
    return made.getvalue()
