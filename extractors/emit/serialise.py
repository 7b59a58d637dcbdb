"""`fhir.resources` models to JSON values with every decimal as printed (https://hl7.org/fhir/R4/json.html#primitive).

The models keep `Decimal("72.50")`, but their own dump turns it into the float 72.5; precision is clinical meaning, so
this walk is used instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


def as_dict(resource: Any) -> dict[str, Any]:
    """A model as a plain dict in element order; decimals stay `Decimal`, dates become strings.

    A dict is returned as it is.
    """
    if isinstance(resource, Mapping):
        return dict(resource)
    kind = type(resource)
    out: dict[str, Any] = {"resourceType": kind.get_resource_type()} if kind.has_resource_base() else {}
    fields = kind.get_alias_mapping()
    values = resource.__dict__
    for element in kind.elements_sequence():
        name = fields[element]
        value = values.get(name)
        if value is not None and value != []:
            out[element] = _value(value)
        extra = values.get(f"{name}__ext")
        if extra is not None:
            out[f"_{element}"] = _value(extra)
    return out


def _value(value: Any) -> Any:
    """One value of a model as JSON."""
    if isinstance(value, str | bool | int | float | Decimal) or value is None:
        return value
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, datetime):
        precision = "milliseconds" if value.microsecond and value.microsecond % 1000 == 0 else "auto"
        return value.isoformat(timespec=precision).replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if hasattr(value, "elements_sequence"):
        return as_dict(value)
    return str(value)
