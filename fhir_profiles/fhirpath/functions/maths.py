"""Numbers (http://hl7.org/fhirpath/N1/#math)."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from fhir_profiles.fhirpath.context import Context, Items, Step, single
from fhir_profiles.fhirpath.equality import plain
from fhir_profiles.fhirpath.errors import PathError
from fhir_profiles.fhirpath.functions.table import argument, table
from fhir_profiles.fhirpath.operators import bounded, integer, is_number
from fhir_profiles.fhirpath.values import Quantity


def number(item: Any) -> Any:
    """An Integer or Decimal, None for none; PathError for anything else."""
    value = plain(item)
    if value is None or is_number(value):
        return value
    raise PathError("a number is needed here.")


def _simple(call: Callable[[Any], Any]) -> Callable[[Context, Items], Items]:
    """A function of one number; nothing where it is not defined."""

    def apply(_context: Context, focus: Items) -> Items:
        value = number(single(focus))
        return [] if value is None else _result(call, value)

    return apply


def _with(call: Callable[[Any, Any], Any]) -> Callable[[Context, Items, Step], Items]:
    def apply(context: Context, focus: Items, other: Step) -> Items:
        value, more = number(single(focus)), number(argument(context, other))
        return [] if value is None or more is None else _result(call, value, more)

    return apply


def _result(call: Callable[..., Any], *values: Any) -> Items:
    try:
        return [bounded(call(*map(bounded, values)))]
    except (ValueError, OverflowError, InvalidOperation, ZeroDivisionError):
        return []


def _abs(_context: Context, focus: Items) -> Items:
    value = plain(single(focus))
    if isinstance(value, Quantity):
        return [Quantity(abs(value.value), value.unit, value.calendar, value.ucum)]
    checked = number(value)
    return [] if checked is None else [abs(checked)]


def _real(value: float) -> Decimal:
    return Decimal(repr(value))


def _power(base: Any, exponent: Any) -> Any:
    if type(base) is int and type(exponent) is int and exponent >= 0:
        if exponent > 200 and abs(base) > 1:
            raise OverflowError
        return base**exponent
    if exponent == int(exponent) and abs(exponent) < 200:
        return Decimal(base) ** int(exponent)
    return _real(math.pow(base, exponent))


def _round(context: Context, focus: Items, precision: Step | None = None) -> Items:
    value = number(single(focus))
    digits = 0 if precision is None else integer(argument(context, precision)) or 0
    if digits < 0:
        raise PathError("round() takes no negative precision.")
    if value is None or type(value) is int:
        return [] if value is None else [value]
    return _result(lambda: value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


FUNCTIONS = table(
    abs=_abs,
    ceiling=_simple(lambda v: int(Decimal(v).to_integral_value(ROUND_CEILING))),
    floor=_simple(lambda v: int(Decimal(v).to_integral_value(ROUND_FLOOR))),
    truncate=_simple(int),
    exp=_simple(lambda v: _real(math.exp(v))),
    ln=_simple(lambda v: _real(math.log(v))),
    log=_with(lambda v, base: _real(math.log2(v) if base == 2 else math.log10(v) if base == 10 else math.log(v, base))),
    power=_with(_power),
    sqrt=_simple(lambda v: _real(math.sqrt(v))),
    round=_round,
)
