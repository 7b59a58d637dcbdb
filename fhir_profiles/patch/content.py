"""The value of a FHIRPath Patch operation, as the JSON that goes into the resource (https://hl7.org/fhir/R4/fhirpatch.html#concept)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_profiles.definitions import Element, load
from fhir_profiles.fhirpath.types import is_subtype, primitives
from fhir_profiles.patch.slot import Slot
from fhir_profiles.patch.values import copied

Json = dict[str, Any]

_KINDS = {"boolean": bool, "integer": int, "positiveInt": int, "unsignedInt": int, "decimal": float}


class Refused(Exception):
    """Why an operation cannot be applied; `code` is from http://hl7.org/fhir/issue-type."""

    def __init__(self, text: str, code: str = "invalid") -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Content:
    """A value, the sibling with its extensions, and the property where they go."""

    element: Element
    key: str
    value: Any
    shadow: Any

    @property
    def many(self) -> bool:
        """Whether the property is a list."""
        return self.element.many

    def taken(self, owner: Json) -> bool:
        """Whether the element is there already, as any of its types."""
        return any(key in owner or f"_{key}" in owner for key in self.element.properties())


def content(owner: str, name: str, part: Json) -> Content:
    """What `part` holds for the element `name` of the type `owner`; Refused when it does not fit."""
    type_ = load().types["Element" if owner in primitives() else owner]
    element = type_.by_name.get(name) or (type_.by_key[name][0] if name in type_.by_key else None)
    if element is None:
        raise Refused("the type at the path has no element of that name.", "not-found")
    given = [key for key in part if key.lstrip("_").startswith("value") and key.lstrip("_") != "value"]
    if given:
        return _typed(element, given[0].lstrip("_"), part)
    if element.choice:
        raise Refused("an element of several types needs a value[x].", "structure")
    of = element.types[0]
    if "resource" in part:
        if of != "Resource":
            raise Refused("no resource stands in this element.", "structure")
        return Content(element, name, copied(part["resource"]), None)
    if type(part.get("part")) is not list or of in primitives():
        raise Refused("the part value needs a value[x], a resource or parts.", "structure")
    return Content(element, name, _built(of, part["part"]), None)


def _typed(element: Element, key: str, part: Json) -> Content:
    """From `value[x]`: the type must be the element's, or for a primitive one written in the same way."""
    of = _type_of(key.removeprefix("value"))
    value, shadow = copied(part.get(key)), copied(part.get(f"_{key}"))
    if element.choice:
        if of not in element.types:
            raise Refused("the element does not take a value of that type.", "structure")
        return Content(element, element.name + key.removeprefix("value"), value, shadow)
    wanted = element.types[0]
    if of in primitives() and wanted in primitives():
        if _KINDS.get(of, str) is not _KINDS.get(wanted, str) and not (of == "integer" and wanted == "decimal"):
            raise Refused("the element does not take a value of that type.", "structure")
    elif of != wanted and not is_subtype(of, wanted):
        raise Refused("the element does not take a value of that type.", "structure")
    return Content(element, element.name, value, shadow)


def _type_of(suffix: str) -> str:
    """`Quantity` for valueQuantity, `code` for valueCode."""
    lower = suffix[:1].lower() + suffix[1:]
    of = lower if lower in primitives() else suffix
    if of not in load().types:
        raise Refused("value[x] names a type that FHIR does not have.", "structure")
    return of


def _built(of: str, parts: list[Any]) -> Json:
    """An object from parts that are each an element of it."""
    built: Json = {}
    for part in parts:
        if type(part) is not dict or type(part.get("name")) is not str:
            raise Refused("each part of a value has a name.", "structure")
        new = content(of, part["name"], part)
        if not new.many and new.taken(built):
            raise Refused("an element that does not repeat is given twice.", "structure")
        slot = Slot(built, new.key)
        slot.put(slot.size if new.many else None, new.value, new.shadow)
    if not built:
        raise Refused("the value has no content.", "structure")
    return built
