"""What FHIRPath collections hold (http://hl7.org/fhirpath/N1/#collections).

Values of a resource are `Node`s; the results of operators and functions are bool, int, Decimal, str, `Temporal`
and `Quantity`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


class Node:
    """A value of a resource with its FHIR type and the place where it stands.

    `type` names a type of the definitions (`HumanName`, `code`, `Patient.contact`), `shadow` is the `_x` sibling of a
    primitive; `owner[key]`, or `owner[key][index]` where `index` is not None, is the value itself.
    """

    __slots__ = ("index", "key", "owner", "shadow", "type", "value")

    def __init__(
        self,
        value: Any,
        type: str,
        shadow: dict[str, Any] | None = None,
        owner: dict[str, Any] | None = None,
        key: str = "",
        index: int | None = None,
    ) -> None:
        self.value = value
        self.type = type
        self.shadow = shadow
        self.owner = owner
        self.key = key
        self.index = index


def node(value: Any, type: str = "") -> Node:
    """A value as a focus; a resource knows its type itself."""
    return Node(value, type or value["resourceType"])


_UNITS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR = {name: unit for unit in _UNITS for name in (unit, f"{unit}s")}
"""The words for durations of the calendar, each with its singular."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit: of UCUM, of the calendar, or any text where `ucum` is false."""

    value: Decimal
    unit: str = "1"
    calendar: bool = False
    ucum: bool = True

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}" if self.calendar else f"{plain(self.value)} '{self.unit}'"


def plain(value: Decimal) -> str:
    """A decimal without exponent, its digits kept; one of absurd size stays as it is written."""
    return format(value, "f") if abs(value.adjusted()) < 100 else str(value)
