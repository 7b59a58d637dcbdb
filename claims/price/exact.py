"""Multiplying and dividing whole numbers without losing a digit, half a unit up once at the end."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
_BITS = 8
_LIMBS = 4


def share(amount: Array, numerator: Array, denominator: Array) -> Array:
    """`amount` × `numerator` / `denominator`, rounded half up, all whole and not negative.

    Exact for amounts below 2^62, numerators below 2^32 and denominators below 2^54: the product, which may not fit in
    64 bits, is divided a byte of the numerator at a time, as on paper.
    """
    whole, rest = np.divmod(amount, denominator)
    quotient = whole * numerator
    above = np.zeros_like(quotient)
    left = np.zeros_like(quotient)
    for limb in range(_LIMBS - 1, -1, -1):
        digit = (numerator >> (_BITS * limb)) & ((1 << _BITS) - 1)
        one, left = np.divmod((left << _BITS) + rest * digit, denominator)
        above = (above << _BITS) + one
    return quotient + above + (2 * left >= denominator)
