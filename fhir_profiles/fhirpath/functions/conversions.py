"""Conversions between the System types (http://hl7.org/fhirpath/N1/#conversion)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_profiles.fhirpath.context import Context, Items, Step, single
from fhir_profiles.fhirpath.equality import plain
from fhir_profiles.fhirpath.functions.table import Function, argument
from fhir_profiles.fhirpath.operators import text
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import CALENDAR, Quantity
from fhir_profiles.fhirpath.values import plain as plain_decimal

_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
_INTEGER = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,38}(\.\d{1,38})?", re.ASCII)
_QUANTITY = re.compile(r"([+-]?\d{1,38}(?:\.\d{1,38})?)\s*(?:'([^']+)'|([a-z]+))?", re.ASCII)

Convert = Callable[[Any], Any]


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        lower = value.lower()
        return True if lower in _TRUE else False if lower in _FALSE else None
    if isinstance(value, int | Decimal):
        return True if value == 1 else False if value == 0 else None
    return None


def _integer(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value) and -(2**31) <= int(value) < 2**31:
        return int(value)
    return None


def _decimal(value: Any) -> Any:
    if isinstance(value, bool | int):
        return Decimal(int(value))
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def _string(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain_decimal(value)
    return str(value) if isinstance(value, int | str | Temporal | Quantity) else None


def _quantity(value: Any) -> Any:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool | int | Decimal):
        return Quantity(Decimal(int(value) if isinstance(value, bool) else value))
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None or (found[3] and found[3] not in CALENDAR):
        return None
    if found[3]:
        return Quantity(Decimal(found[1]), CALENDAR[found[3]], calendar=True)
    return Quantity(Decimal(found[1]), found[2] or "1")


def _date(value: Any) -> Any:
    moment = Temporal.read(value) if isinstance(value, str) else value
    if not isinstance(moment, Temporal) or moment.kind == "Time":
        return None
    if moment.kind == "Date":
        return moment
    return None if isinstance(value, str) else Temporal("Date", moment.fields[:3])


def _date_time(value: Any) -> Any:
    moment = Temporal.read(value) if isinstance(value, str) else value
    if not isinstance(moment, Temporal) or moment.kind == "Time":
        return None
    return Temporal("DateTime", moment.fields, moment.fraction, moment.zone)


def _time(value: Any) -> Any:
    moment = Temporal.read("T" + value.removeprefix("T")) if isinstance(value, str) else value
    return moment if isinstance(moment, Temporal) and moment.kind == "Time" else None


def _to(convert: Convert) -> Function:
    def call(_context: Context, focus: Items) -> Items:
        value = convert(plain(single(focus)))
        return [] if value is None else [value]

    return Function(call, 0, 0)


def _converts(convert: Convert) -> Function:
    def call(_context: Context, focus: Items) -> Items:
        item = single(focus)
        return [] if item is None else [convert(plain(item)) is not None]

    return Function(call, 0, 0)


def _to_quantity(context: Context, focus: Items, unit: Step | None = None) -> Items:
    value = _quantity(plain(single(focus)))
    wanted = None if unit is None else text(argument(context, unit))
    if value is None or wanted is None or wanted == value.unit:
        return [] if value is None else [value]
    one, scale = context.units(value.value, value.unit), context.units(Decimal(1), wanted)
    if one is None or scale is None or one[1] != scale[1]:
        return []
    return [Quantity(one[0] / scale[0], wanted)]


_CONVERSIONS: dict[str, Convert] = {
    "Boolean": _boolean,
    "Integer": _integer,
    "Decimal": _decimal,
    "String": _string,
    "Quantity": _quantity,
    "Date": _date,
    "DateTime": _date_time,
    "Time": _time,
}

FUNCTIONS = {
    **{f"to{name}": _to(convert) for name, convert in _CONVERSIONS.items()},
    **{f"convertsTo{name}": _converts(convert) for name, convert in _CONVERSIONS.items()},
    "toQuantity": Function(_to_quantity, 0, 1),
    "convertsToQuantity": Function(lambda c, f, unit=None: [bool(_to_quantity(c, f, unit))] if f else [], 0, 1),
}
