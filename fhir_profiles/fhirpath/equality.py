"""Equality, equivalence and order of FHIRPath values (http://hl7.org/fhirpath/N1/#equality)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from fhir_profiles.fhirpath.errors import PathError
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.types import is_subtype
from fhir_profiles.fhirpath.units import CALENDAR_UNITS, Canonical
from fhir_profiles.fhirpath.values import Node, Quantity
from fhir_profiles.systems import UCUM

Units = Callable[[Decimal, str], Canonical | None]

_TEMPORAL = frozenset({"date", "dateTime", "instant"})


def plain(item: Any) -> Any:
    """A primitive or Quantity of a resource as its System value; anything else as it is."""
    if not isinstance(item, Node):
        return item
    value, of = item.value, item.type
    if value is None:
        return item
    if type(value) is str:
        if of in _TEMPORAL:
            found = Temporal.read(value)
            return value if found is None else found if of == "date" else found.as_date_time()
        return Temporal.read("T" + value) or value if of == "time" else value
    if type(value) is dict:
        return _quantity(item) if "value" in value and is_subtype(of, "Quantity") else item
    if type(value) is float:
        return Decimal(repr(value))
    return Decimal(value) if of == "decimal" and type(value) is int else value


def _quantity(item: Node) -> Any:
    """A Quantity without comparator as a System quantity; a unit of no system compares by its text."""
    value = item.value
    number = value["value"]
    if "comparator" in value or type(number) not in (int, Decimal, float):
        return item
    unit = value.get("code") or value.get("unit")
    amount = Decimal(repr(number)) if type(number) is float else Decimal(number)
    if unit is None:
        return Quantity(amount)
    return Quantity(amount, str(unit), ucum="code" in value and value.get("system", UCUM) == UCUM)


def equals(one: Any, other: Any, units: Units) -> bool | None:
    """`=` of two items; None when it cannot be decided."""
    one, other = plain(one), plain(other)
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        if (one.kind == "Time") is not (other.kind == "Time"):
            return False
        order = one.compare(other)
        return None if order is None else order == 0
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        pair = _quantities(one, other, units)
        return pair if isinstance(pair, bool) or pair is None else pair[0] == pair[1]
    if isinstance(one, Node) or isinstance(other, Node):
        return isinstance(one, Node) and isinstance(other, Node) and _same(one, other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    return type(one) is type(other) and bool(one == other)


def equivalent(one: Any, other: Any, units: Units) -> bool:
    """`~` of two items: text without case and spacing, numbers to the lesser precision."""
    one, other = plain(one), plain(other)
    if isinstance(one, str) and isinstance(other, str):
        return " ".join(one.lower().split()) == " ".join(other.lower().split())
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        return one.compare(other) == 0
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return _equivalent_quantities(one, other, units)
    if _is_number(one) and _is_number(other):
        return _close(Decimal(one), Decimal(other))
    if isinstance(one, Node) and isinstance(other, Node):
        return bool(key(one) == key(other) or _loosely(one.value) == _loosely(other.value))
    return equals(one, other, units) is True


def order(one: Any, other: Any, units: Units) -> int | None:
    """-1, 0 or 1; None when it cannot be decided; PathError for what has no order."""
    one, other = plain(one), plain(other)
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        if (one.kind == "Time") is not (other.kind == "Time"):
            raise PathError("a time and a date have no order.")
        return one.compare(other)
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        pair = _quantities(one, other, units)
        if isinstance(pair, bool):
            raise PathError("a quantity has no order with another type.")
        return None if pair is None else (pair[0] > pair[1]) - (pair[0] < pair[1])
    if isinstance(one, Node) and isinstance(other, Node) and is_subtype(one.type, "Quantity"):
        return None
    if (isinstance(one, str) and isinstance(other, str)) or (_is_number(one) and _is_number(other)):
        return int(one > other) - int(one < other)
    raise PathError("values of these types have no order.")


def key(item: Any) -> Any:
    """A hashable value, the same for equal items."""
    item = plain(item)
    if isinstance(item, Node):
        shown = item.value if item.value is not None else item.shadow
        return ("object", frozen(shown))
    if isinstance(item, bool):
        return ("boolean", item)
    if isinstance(item, Temporal):
        return item.key()
    return item


def frozen(value: Any) -> Any:
    """A JSON value as a hashable one."""
    if type(value) is dict:
        return frozenset((k, frozen(v)) for k, v in value.items())
    if type(value) is list:
        return tuple(frozen(v) for v in value)
    return ("boolean", value) if type(value) is bool else value


def _same(one: Node, other: Node) -> bool:
    if one.value is None and other.value is None:
        return bool(frozen(one.shadow) == frozen(other.shadow))
    return one.value is other.value or bool(frozen(one.value) == frozen(other.value))


def _loosely(value: Any) -> Any:
    """A JSON value without ids, case, and the order of arrays."""
    if type(value) is dict:
        return frozenset((k, _loosely(v)) for k, v in value.items() if k != "id")
    if type(value) is list:
        return frozenset(_loosely(v) for v in value)
    return value.lower() if type(value) is str else frozen(value)


def _is_number(value: Any) -> bool:
    return type(value) is int or isinstance(value, Decimal)


def _close(one: Decimal, other: Decimal) -> bool:
    digits = min(-int(one.as_tuple().exponent), -int(other.as_tuple().exponent))
    step = Decimal(1).scaleb(-max(digits, 0))
    return one.quantize(step, ROUND_HALF_UP) == other.quantize(step, ROUND_HALF_UP)


def _quantities(one: Any, other: Any, units: Units) -> tuple[Decimal, Decimal] | bool | None:
    """Both values in one unit; None when the units do not compare, False when one is no quantity."""
    if _is_number(one):
        one = Quantity(Decimal(one))
    if _is_number(other):
        other = Quantity(Decimal(other))
    if not isinstance(one, Quantity) or not isinstance(other, Quantity):
        return None if isinstance(one, Node) or isinstance(other, Node) else False
    if (one.unit, one.calendar, one.ucum) == (other.unit, other.calendar, other.ucum):
        return one.value, other.value
    first, second = in_base(one, units), in_base(other, units)
    if first is None or second is None or first[1] != second[1]:
        return None
    return first[0], second[0]


def in_base(quantity: Quantity, units: Units) -> Canonical | None:
    """The quantity in base units; None for an unknown unit and for years and months, which have no fixed length."""
    if quantity.calendar:
        if quantity.unit in ("year", "month"):
            return quantity.value * (12 if quantity.unit == "year" else 1), "month"
        return units(quantity.value, CALENDAR_UNITS[quantity.unit])
    return units(quantity.value, quantity.unit) if quantity.ucum else None


def _equivalent_quantities(one: Quantity, other: Quantity, units: Units) -> bool:
    if one.unit == other.unit:
        return _close(one.value, other.value)
    alike = {("year", "a"), ("month", "mo")}
    if {(one.unit, other.unit), (other.unit, one.unit)} & alike:
        return _close(one.value, other.value)
    first, second = in_base(one, units), in_base(other, units)
    scale = in_base(Quantity(Decimal(1), one.unit, one.calendar, one.ucum), units)
    if first is None or second is None or scale is None or first[1] != second[1]:
        return False
    return _close(one.value, second[0] / scale[0])
