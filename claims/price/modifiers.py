"""The modifiers that a price depends on, as bits of one number for each line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from claims.price.ask import SMALL
from claims.price.exact import Array

NAMES = (
    "26", "TC", "53", "50", "52", "22", "66", "54", "55", "56", "78", "62", "80", "81", "82", "AS", "QK", "QX", "QY",
    "AD", "AA", "QZ", "CQ", "CO", "FX", "FY", "CT", "QW",
)  # fmt: skip
BITS = {name: 1 << n for n, name in enumerate(NAMES)}


def bits(*names: str) -> int:
    """The bits of modifiers together."""
    return sum(BITS[name] for name in names)


BY_REPORT = bits("52", "22", "66")
SHARES = bits("54", "55", "56", "78")
HELPERS = bits("80", "81", "82", "AS")
DIRECTION = bits("QK", "QX", "QY")
ANAESTHETISTS = bits("AA", "QZ", "AD", "QK", "QX", "QY")
UNRECKONED = bits("CQ", "CO", "FX", "FY", "CT")
"""They change the fee by rules that are not reckoned here, so a line with one is not priced."""


def marks(mods: pl.Series) -> Array:
    """The bits of each line's modifiers."""
    found = np.zeros(len(mods), np.int64)
    if len(mods) <= SMALL:
        for n, names in enumerate(mods.to_list()):
            for name in names or ():
                found[n] |= BITS.get(name, 0)
        return found
    counts = mods.list.len().fill_null(0).to_numpy()
    flat = mods.filter(pl.Series(counts > 0)).explode()
    numbers = flat.replace_strict(list(BITS), list(BITS.values()), default=0, return_dtype=pl.Int64).to_numpy()
    np.bitwise_or.at(found, np.repeat(np.arange(len(mods)), counts), numbers)
    return found


def several(marked: Array, names: Sequence[str]) -> Array:
    """Whether a line has more than one of these."""
    return sum(((marked & BITS[name]) > 0).astype(np.int64) for name in names) > 1  # type: ignore[return-value]
