"""How the properties of each type look in XML, from the definitions (https://hl7.org/fhir/R4/xml.html)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from fhir_profiles.definitions import load
from fhir_profiles.primitives import PREDICATES

Form = Literal["attribute", "primitive", "complex", "resource", "xhtml"]


@dataclass(frozen=True, slots=True)
class Slot:
    """One JSON property: its place in the order, its type, and the form that it has in XML."""

    name: str
    rank: int
    type: str
    form: Form
    many: bool


Plan = dict[str, Slot]


@cache
def plan_of(type_name: str) -> Plan:
    """JSON property (and XML element or attribute) → slot for a type; KeyError for an unknown one."""
    definition = load().types[type_name]
    slots: Plan = {}
    for element in definition.elements:
        for key, of in element.properties().items():
            form = _form(definition.kind, type_name, key, of)
            slots[key] = Slot(key, len(slots), of, form, element.many)
    return slots


@cache
def ranks_of(type_name: str) -> dict[str, int]:
    """JSON property → its place in the order, with `_name` at the place of `name`."""
    slots = plan_of(type_name).values()
    found = {slot.name: slot.rank for slot in slots}
    found.update({f"_{slot.name}": slot.rank for slot in slots if slot.form == "primitive"})
    return found


def _form(kind: str, owner: str, key: str, of: str) -> Form:
    if (key == "id" and kind != "resource") or (key == "url" and owner == "Extension"):
        return "attribute"
    if of in PREDICATES:
        return "primitive"
    return "resource" if of == "Resource" else "xhtml" if of == "xhtml" else "complex"


PRIMITIVE = "Element"
"""The type whose plan is that of a primitive in XML, beside its value: an id and extensions."""
