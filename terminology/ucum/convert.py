"""Quantities in one unit and in another, without drift (https://ucum.org/ucum#section-Semantics).

All arithmetic is on fractions; what leaves here is a Decimal of up to 40 digits, exact whenever the true value has no
more. Equal quantities therefore give equal Decimals whatever unit they came in.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from terminology.ucum.grammar import parse
from terminology.ucum.special import FUNCTIONS, MAX_EXPONENT, decimal
from terminology.ucum.unit import Unit

MAX_DIGITS = 1000


def is_valid(code: str) -> bool:
    """Whether a code is one of UCUM."""
    return parse(code) is not None


def canonical(value: Decimal, code: str) -> tuple[Decimal, str] | None:
    """The quantity in base units: `canonical(Decimal("72.50"), "mg")` is `(Decimal("0.0725"), "g")`.

    Commensurable quantities have the same base unit and compare by number. None when the code is not UCUM, is a special
    unit inside a product, or the number is not finite or beyond 1e±300. Greater stays greater except for `[pH]` and
    homeopathic potencies, which fall: order the two ends of a range after converting them.
    """
    unit = parse(code)
    if unit is None or unit.broken or not _measurable(value):
        return None
    try:
        number = _to_base(Fraction(value), unit)
    except ArithmeticError:
        return None
    result = decimal(number)
    return (result, unit.base) if _measurable(result) else None


def convert(value: Decimal, source: str, target: str) -> Decimal | None:
    """The number of `target` units that `value` `source` units are; None when they do not measure the same."""
    one, other = parse(source), parse(target)
    if one is None or other is None or not _commensurable(one, other) or not _measurable(value):
        return None
    try:
        if one.function == other.function and one.factor == other.factor:
            result = decimal(Fraction(value) * one.scale / other.scale)
        else:
            result = decimal(_from_base(_to_base(Fraction(value), one), other))
    except ArithmeticError:
        return None
    return result if _measurable(result) else None


def comparable(a: str, b: str) -> bool:
    """Whether two codes measure the same kind of quantity."""
    one, other = parse(a), parse(b)
    return one is not None and other is not None and _commensurable(one, other)


def _commensurable(a: Unit, b: Unit) -> bool:
    return a.dimension == b.dimension and not a.broken and not b.broken


def _measurable(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= MAX_EXPONENT and len(value.as_tuple().digits) <= MAX_DIGITS


def _to_base(value: Fraction, unit: Unit) -> Fraction:
    if unit.function:
        value = FUNCTIONS[unit.function][0](value * unit.scale)
    return value * unit.factor


def _from_base(value: Fraction, unit: Unit) -> Fraction:
    value /= unit.factor
    return FUNCTIONS[unit.function][1](value) / unit.scale if unit.function else value
