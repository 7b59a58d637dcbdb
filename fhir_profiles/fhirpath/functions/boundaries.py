"""Precision and the bounds of what is known of a value (https://build.fhir.org/ig/HL7/FHIRPath/#additions-to-fhirpath)."""

from __future__ import annotations

from calendar import monthrange
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from fhir_profiles.fhirpath.context import Context, Items, Step, single
from fhir_profiles.fhirpath.equality import in_base, plain
from fhir_profiles.fhirpath.functions.table import argument, table
from fhir_profiles.fhirpath.operators import integer
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import Quantity

_DIGITS = (4, 6, 8, 10, 12, 14, 17)
_TIME_DIGITS = (2, 4, 6, 9)
_DEFAULT = 8
_MOST = 31


def _bound(up: bool, context: Context, focus: Items, precision: Step | None) -> Items:
    value = plain(single(focus))
    digits = None if precision is None else integer(argument(context, precision))
    if type(value) is int or isinstance(value, Decimal):
        found: Any = _decimal(Decimal(value), _DEFAULT if digits is None else digits, up)
    elif isinstance(value, Quantity):
        number = _decimal(value.value, _DEFAULT if digits is None else digits, up)
        found = None if number is None else Quantity(number, value.unit, value.calendar, value.ucum)
    elif isinstance(value, Temporal):
        found = _moment(value, digits, up)
    else:
        found = None
    return [] if found is None else [found]


def _decimal(value: Decimal, digits: int, up: bool) -> Decimal | None:
    """The bound of a decimal, half a unit of its last digit away, at so many decimals."""
    if not 0 <= digits <= _MOST:
        return None
    step = Decimal(1).scaleb(-digits)
    if value and abs(value) < step:
        return Decimal(0).quantize(step).copy_sign(value)
    half = Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)
    return (value + (half if up else -half)).quantize(step, ROUND_CEILING if up else ROUND_FLOOR)


def _moment(value: Temporal, digits: int | None, up: bool) -> Temporal | None:
    time_only = value.kind == "Time"
    sizes = _TIME_DIGITS if time_only else _DIGITS
    digits = digits or (sizes[-1] if value.kind != "Date" else 8)
    if digits not in sizes:
        return None
    count = sizes.index(digits) + 1
    fields = list(value.fields)
    first = 3 if time_only else 0
    if first == 0 and len(fields) == 4:
        fields.append(0)  # FHIR has no hours without minutes: the hour alone means its first minute
    while len(fields) + first < 6:
        fields.append(_fill(fields, len(fields) + first, up))
    fraction = value.fraction if len(value.fields) + first == 6 and value.fraction else ("999" if up else "000")
    whole = 7 - first
    fields, fraction = fields[: min(count, whole - 1)], (fraction if count == whole else "")
    kind = value.kind if value.kind != "Date" or len(fields) <= 3 else "DateTime"
    if kind == "DateTime" and len(fields) <= 3:
        kind = "Date"
    zone = value.zone or ("-12:00" if up else "+14:00") if kind == "DateTime" and len(fields) > 3 else ""
    return Temporal(kind, tuple(fields), fraction, zone)


def _fill(fields: list[int], place: int, up: bool) -> int:
    if not up:
        return 1 if place in (1, 2) else 0
    return (0, 12, monthrange(fields[0], fields[1])[1] if place == 2 else 0, 23, 59, 59)[place]


def _low(context: Context, focus: Items, precision: Step | None = None) -> Items:
    return _bound(False, context, focus, precision)


def _high(context: Context, focus: Items, precision: Step | None = None) -> Items:
    return _bound(True, context, focus, precision)


def _precision(_context: Context, focus: Items) -> Items:
    value = plain(single(focus))
    if type(value) is int or isinstance(value, Decimal):
        return [max(-int(Decimal(value).as_tuple().exponent), 0)]
    if not isinstance(value, Temporal):
        return []
    sizes = _TIME_DIGITS if value.kind == "Time" else _DIGITS
    return [sizes[len(value.fields) - 1 + bool(value.fraction)]]


def _comparable(context: Context, focus: Items, other: Step) -> Items:
    one, two = plain(single(focus)), plain(argument(context, other))
    if not isinstance(one, Quantity) or not isinstance(two, Quantity):
        return []
    first, second = in_base(one, context.units), in_base(two, context.units)
    return [one.unit == two.unit or (first is not None and second is not None and first[1] == second[1])]


FUNCTIONS = table(lowBoundary=_low, highBoundary=_high, precision=_precision, comparable=_comparable)
