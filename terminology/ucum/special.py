"""Units that are no ratio scale: temperatures, levels, acidity, slope (https://ucum.org/ucum#section-Special-Units).

Each function maps the number before the special unit to the number of its proper unit and back. Temperatures and roots
are exact, logarithms to the last digit given, angles to those of a double.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

DIGITS = 40
GUARD = 10  # digits that logarithms carry beyond those, so that 6 comes back as 6
MAX_EXPONENT = 300  # a level beyond this is no measurement
Map = Callable[[Fraction], Fraction]


class OutOfRange(ArithmeticError):
    """The number has no value in the proper unit, or one too large to be a measurement."""


def decimal(value: Fraction, digits: int = DIGITS) -> Decimal:
    """The value to so many digits: exact whenever it has no more."""
    with localcontext() as context:
        context.prec = digits
        return Decimal(value.numerator) / Decimal(value.denominator)


def _finely(function: Callable[[Decimal], Decimal], x: Fraction) -> Fraction:
    """A function of decimals with guard digits."""
    with localcontext() as context:
        context.prec = DIGITS + GUARD
        return Fraction(function(decimal(x, DIGITS + GUARD)))


def _power(base: int, sign: int = 1, divisor: int = 1) -> Map:
    """x ↦ base ^ (sign · x / divisor)."""

    def forward(x: Fraction) -> Fraction:
        exponent = sign * x / divisor
        if abs(exponent) * math.log10(base) > MAX_EXPONENT:
            raise OutOfRange
        if exponent.denominator == 1:
            return Fraction(base) ** int(exponent)
        return _finely(lambda e: Decimal(base) ** e, exponent)

    return forward


def _logarithm(base: int, sign: int = 1, divisor: int = 1) -> Map:
    def backward(x: Fraction) -> Fraction:
        if x <= 0:
            raise OutOfRange
        return _finely(lambda d: d.log10() / Decimal(base).log10(), x) * sign * divisor

    return backward


def _exponential(x: Fraction) -> Fraction:
    if abs(x) > MAX_EXPONENT * math.log(10):
        raise OutOfRange
    return _finely(Decimal.exp, x)


def _natural(x: Fraction) -> Fraction:
    if x <= 0:
        raise OutOfRange
    return _finely(Decimal.ln, x)


def _root(x: Fraction) -> Fraction:
    if x < 0:
        raise OutOfRange
    return _finely(Decimal.sqrt, x)


def _levels(base: int, sign: int = 1, divisor: int = 1) -> tuple[Map, Map]:
    return _power(base, sign, divisor), _logarithm(base, sign, divisor)


_CELSIUS, _FAHRENHEIT = Fraction("273.15"), Fraction("459.67")

FUNCTIONS: dict[str, tuple[Map, Map]] = {
    # in units of K, 5/9 K and 5/4 K: the table gives the size of the degree
    "celsius": (lambda x: x + _CELSIUS, lambda x: x - _CELSIUS),
    "fahrenheit": (lambda x: x + _FAHRENHEIT, lambda x: x - _FAHRENHEIT),
    "reaumur": (lambda x: x + _CELSIUS * 4 / 5, lambda x: x - _CELSIUS * 4 / 5),
    "ph": _levels(10, -1),
    "lg": _levels(10),
    "lg2": _levels(10, 1, 2),
    "ld": _levels(2),
    "ln": (_exponential, _natural),
    "potency10": _levels(10, -1),
    "potency100": _levels(100, -1),
    "potency1000": _levels(1000, -1),
    "potency50000": _levels(50000, -1),
    "sqrt": (lambda x: x * x, _root),
    "tangent": (
        lambda x: Fraction(math.atan(x / 100)),
        lambda x: Fraction(math.tan(x)) * 100,
    ),
}
"""Name → (number of the special unit to number of the proper unit, and back)."""
