"""The modifiers that a price depends on, as bits of one number for each line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from claims.price.exact import Array
from claims.tables.columns import Coded

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


def marks(mods: Coded) -> Array:
    """The bits of each line's modifiers."""
    each = [sum(BITS.get(name, 0) for name in set(names)) for names in mods.values]
    return np.asarray(np.array([*each, 0], np.int64)[mods.numbers])


def several(marked: Array, names: Sequence[str]) -> Array:
    """Whether a line has more than one of these."""
    return sum(((marked & BITS[name]) > 0).astype(np.int64) for name in names) > 1  # type: ignore[return-value]
