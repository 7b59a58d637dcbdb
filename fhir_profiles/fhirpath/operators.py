"""The operators (http://hl7.org/fhirpath/N1/#operations)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from fhir_profiles.fhirpath.context import MAX_ITEMS, MAX_TEXT, Context, Items, Step, single, truth
from fhir_profiles.fhirpath.equality import equals, equivalent, in_base, key, order, plain
from fhir_profiles.fhirpath.errors import PathError, TooCostly
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.units import CALENDAR_UNITS
from fhir_profiles.fhirpath.values import CALENDAR, Node, Quantity

Operation = Callable[[Context, Items, Items], Items]
_DURATIONS = {ucum: unit for unit, ucum in CALENDAR_UNITS.items()}
_PLACES = Decimal("1e-8")


def binary(operator: str, left: Step, right: Step) -> Step:
    """An operator on two collections."""
    operation = _OPERATIONS[operator]
    return lambda context, focus: operation(context, left(context, focus), right(context, focus))


def logic(operator: str, left: Step, right: Step) -> Step:
    """Three-valued logic; the right side is evaluated only when it matters."""
    table = {"and": _and, "or": _or, "implies": _implies, "xor": _xor}
    return table[operator](left, right)


def _and(left: Step, right: Step) -> Step:
    def both(context: Context, focus: Items) -> Items:
        one = truth(left(context, focus))
        if one is False:
            return [False]
        other = truth(right(context, focus))
        if other is False:
            return [False]
        return [] if one is None or other is None else [True]

    return both


def _or(left: Step, right: Step) -> Step:
    def either(context: Context, focus: Items) -> Items:
        one = truth(left(context, focus))
        if one is True:
            return [True]
        other = truth(right(context, focus))
        if other is True:
            return [True]
        return [] if one is None or other is None else [False]

    return either


def _implies(left: Step, right: Step) -> Step:
    def implies(context: Context, focus: Items) -> Items:
        one = truth(left(context, focus))
        if one is False:
            return [True]
        other = truth(right(context, focus))
        if other is True:
            return [True]
        return [] if one is None or other is None else [False]

    return implies


def _xor(left: Step, right: Step) -> Step:
    def xor(context: Context, focus: Items) -> Items:
        one, other = truth(left(context, focus)), truth(right(context, focus))
        return [] if one is None or other is None else [one is not other]

    return xor


def sign(operator: str, of: Step) -> Step:
    """`-` and `+` before a number or quantity."""

    def signed(context: Context, focus: Items) -> Items:
        value = plain(single(of(context, focus)))
        if value is None:
            return []
        if isinstance(value, Quantity):
            return [Quantity(-value.value, value.unit, value.calendar, value.ucum) if operator == "-" else value]
        if not is_number(value):
            raise PathError("a sign stands before something that is no number.")
        return [-value if operator == "-" else value]

    return signed


def is_number(value: Any) -> bool:
    """Whether a System value is an Integer or Decimal."""
    return type(value) is int or isinstance(value, Decimal)


def integer(value: Any) -> int | None:
    """An Integer, None for none; PathError for anything else."""
    value = plain(value)
    if value is None or type(value) is int:
        return value
    raise PathError("a whole number is needed here.")


def text(value: Any) -> str | None:
    """A String, None for none; PathError for anything else."""
    value = plain(value)
    if value is None or type(value) is str:
        return value
    if isinstance(value, Node) and value.value is None:
        return None
    if isinstance(value, Temporal):
        return str(value)
    raise PathError("text is needed here.")


def equal(context: Context, left: Items, right: Items) -> bool | None:
    """`=` of two collections."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    context.spend(len(left))
    result: bool | None = True
    for one, other in zip(left, right, strict=True):
        same = equals(one, other, context.units)
        if same is False:
            return False
        result = None if same is None else result
    return result


def _is_equivalent(context: Context, left: Items, right: Items) -> bool:
    if len(left) != len(right):
        return False
    context.spend(len(left) ** 2)
    rest = list(right)
    for one in left:
        for i, other in enumerate(rest):
            if equivalent(one, other, context.units):
                del rest[i]
                break
        else:
            return False
    return True


def _maybe(value: bool | None) -> Items:
    return [] if value is None else [value]


def _equal(context: Context, left: Items, right: Items) -> Items:
    return _maybe(equal(context, left, right))


def _unequal(context: Context, left: Items, right: Items) -> Items:
    same = equal(context, left, right)
    return _maybe(None if same is None else not same)


def _compared(accept: Callable[[int], bool]) -> Operation:
    def compare(context: Context, left: Items, right: Items) -> Items:
        one, other = single(left), single(right)
        if one is None or other is None:
            return []
        if any(isinstance(item, Node) and item.value is None for item in (one, other)):
            return []
        found = order(one, other, context.units)
        return [] if found is None else [accept(found)]

    return compare


def contains(context: Context, items: Items, item: Any) -> bool:
    """Whether an equal item is among the items."""
    context.spend(len(items) + 1)
    return any(equals(one, item, context.units) is True for one in items)


def _in(context: Context, left: Items, right: Items) -> Items:
    item = single(left)
    return [] if item is None else [contains(context, right, item)]


def _contains(context: Context, left: Items, right: Items) -> Items:
    return _in(context, right, left)


def union(context: Context, left: Items, right: Items) -> Items:
    """Both collections without what is equal."""
    return distinct(context, left + right)


def distinct(context: Context, items: Items) -> Items:
    """The first of all equal items."""
    context.spend(len(items))
    if len(items) < 2 or len({_outline(item) for item in items}) == len(items):
        return items
    found: dict[Any, Any] = {}
    for item in items:
        found.setdefault(key(item), item)
    return list(found.values())


def _outline(item: Any) -> Any:
    """What equal items share, at a price that does not grow with what is inside them."""
    if not isinstance(item, Node) or type(item.value) is not dict:
        return key(item)
    return frozenset((k, len(v) if type(v) in (dict, list) else v) for k, v in item.value.items())


def _concatenated(_context: Context, left: Items, right: Items) -> Items:
    one, other = text(single(left)) or "", text(single(right)) or ""
    if len(one) + len(other) > MAX_TEXT:
        raise TooCostly("a text grows too long.")
    return [one + other]


def _arithmetic(operator: str) -> Operation:
    def calculate(context: Context, left: Items, right: Items) -> Items:
        one, other = plain(single(left)), plain(single(right))
        if one is None or other is None:
            return []
        try:
            result = _calculated(operator, one, other, context)
        except (InvalidOperation, OverflowError):
            return []
        except ZeroDivisionError:
            return []
        return [] if result is None else [result]

    return calculate


def _calculated(operator: str, one: Any, other: Any, context: Context) -> Any:
    if is_number(one) and is_number(other):
        return bounded(_numbers(operator, bounded(one), bounded(other)))
    if isinstance(one, str) and isinstance(other, str) and operator == "+":
        return single(_concatenated(context, [one], [other]))
    if isinstance(one, Temporal) and isinstance(other, Quantity) and operator in "+-":
        return _moved(one, other, 1 if operator == "+" else -1)
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return _measured(operator, one, other, context)
    raise PathError(f"'{operator}' does not take values of these types.")


def _numbers(operator: str, one: Any, other: Any) -> Any:
    match operator:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/":
            return Decimal(one) / Decimal(other)
        case "div":
            return int(Decimal(one) / Decimal(other))
    remainder = Decimal(one) % Decimal(other)
    return int(remainder) if type(one) is int and type(other) is int else remainder


def bounded(value: Any) -> Any:
    """A number that is not absurdly large; OverflowError otherwise."""
    if abs(value) > 10**38:
        raise OverflowError
    return value


def _moved(moment: Temporal, by: Quantity, direction: int) -> Temporal:
    """A date plus or minus a duration; only whole units count."""
    unit = by.unit if by.calendar else CALENDAR.get(by.unit) or _DURATIONS.get(by.unit)
    if unit is None:
        raise PathError("a date moves only by years, months, weeks, days, hours, minutes, seconds or milliseconds.")
    return moment.plus(int(by.value) * direction, unit)


def _measured(operator: str, one: Any, other: Any, context: Context) -> Any:
    if operator in "+-":
        return _summed(operator, one, other, context)
    if operator not in "*/":
        raise PathError(f"'{operator}' does not take quantities.")
    left = one if isinstance(one, Quantity) else Quantity(Decimal(one)) if is_number(one) else None
    right = other if isinstance(other, Quantity) else Quantity(Decimal(other)) if is_number(other) else None
    if left is None or right is None:
        raise PathError(f"'{operator}' does not take values of these types.")
    if operator == "*":
        return Quantity(left.value * right.value, _joined(left.unit, right.unit, "."))
    if left.unit == right.unit:
        return Quantity(left.value / right.value)
    return Quantity(left.value / right.value, _joined(left.unit, right.unit, "/"))


def _joined(one: str, other: str, by: str) -> str:
    if other == "1":
        return one
    return other if one == "1" and by == "." else f"{one}{by}{other}"


def _summed(operator: str, one: Any, other: Any, context: Context) -> Any:
    if not isinstance(one, Quantity) or not isinstance(other, Quantity):
        raise PathError(f"'{operator}' does not take values of these types.")
    factor = 1 if operator == "+" else -1
    if (one.unit, one.calendar, one.ucum) == (other.unit, other.calendar, other.ucum):
        return Quantity(one.value + factor * other.value, one.unit, one.calendar, one.ucum)
    first = in_base(Quantity(Decimal(1), one.unit, one.calendar, one.ucum), context.units)
    second = in_base(other, context.units)
    if first is None or second is None or first[1] != second[1]:
        return None
    return Quantity(one.value + factor * second[0] / first[0], one.unit, one.calendar, one.ucum)


def too_many(items: Items) -> Items:
    """The items; TooCostly when there are too many of them."""
    if len(items) > MAX_ITEMS:
        raise TooCostly("a collection grows too large.")
    return items


_OPERATIONS: dict[str, Operation] = {
    "=": _equal,
    "!=": _unequal,
    "~": lambda context, left, right: [_is_equivalent(context, left, right)],
    "!~": lambda context, left, right: [not _is_equivalent(context, left, right)],
    "<": _compared(lambda found: found < 0),
    "<=": _compared(lambda found: found <= 0),
    ">": _compared(lambda found: found > 0),
    ">=": _compared(lambda found: found >= 0),
    "in": _in,
    "contains": _contains,
    "|": union,
    "&": _concatenated,
    **{operator: _arithmetic(operator) for operator in ("+", "-", "*", "/", "div", "mod")},
}
