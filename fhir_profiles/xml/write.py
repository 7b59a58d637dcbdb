"""FHIR JSON to XML: elements in the order of their definition (https://hl7.org/fhir/R4/xml.html)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import FHIR
from fhir_profiles.xml.plan import PRIMITIVE, Slot, plan_of, ranks_of
from fhir_profiles.xml.xhtml import IN_ATTRIBUTE, NotXhtml, canonical

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


class _Number(str):
    """A number with a fraction or an exponent, as it stands in the JSON."""

    __slots__ = ()


_decoder = msgspec.json.Decoder(float_hook=_Number)


def from_json(body: bytes, *, pretty: bool = False) -> bytes:
    """The XML document of a resource in FHIR JSON; FhirError(UNSUPPORTED) says what of it XML cannot hold."""
    resource = _decoder.decode(body)
    writer = _Writer(pretty)
    writer.resource(resource, 0, "")
    text = "".join([_DECLARATION, *writer.parts] if pretty else [_DECLARATION, "\n", *writer.parts])
    if _FORBIDDEN.search(text):
        raise _cannot("It holds a character that XML does not know.", "")
    return text.encode()


def _cannot(text: str, place: str) -> FhirError:
    return FhirError.of(
        Category.UNSUPPORTED, "not-supported", f"This cannot be written as XML. {text} Ask for JSON.", place or None
    )


class _Writer:
    """Collects the text of a document."""

    def __init__(self, pretty: bool) -> None:
        self.parts: list[str] = []
        self._pretty = pretty

    def resource(self, value: Any, depth: int, place: str) -> None:
        """A resource under its own name; the outermost one declares the namespace."""
        name = value.get("resourceType") if type(value) is dict else None
        if type(name) is not str or name not in load().resource_types:
            raise _cannot("A resource without a type of R4 stands here.", place)
        self._open(f'{name} xmlns="{FHIR}"' if depth == 0 else name, depth)
        before = len(self.parts)
        self._members(value, name, depth + 1, place or name)
        self._close(name, depth, before)

    def _members(self, value: dict[str, Any], type_name: str, depth: int, place: str) -> None:
        """The child elements of an object, in order."""
        slots, ranks = plan_of(type_name), ranks_of(type_name)
        try:
            keys = sorted(value, key=lambda key: -1 if key == "resourceType" else ranks[key])
        except KeyError:
            raise _cannot(f"{type_name} has a property that R4 does not know.", place) from None
        for key in keys:
            if key[0] == "_":
                if key[1:] not in value:
                    self._property(slots[key[1:]], None, value[key], depth, place)
            elif key != "resourceType":
                slot = slots[key]
                if slot.form != "attribute":
                    self._property(slot, value[key], value.get(f"_{key}"), depth, place)

    def _property(self, slot: Slot, value: Any, beside: Any, depth: int, place: str) -> None:
        """All elements of one property; `beside` are the ids and extensions of a primitive."""
        at = f"{place}.{slot.name}"
        if not slot.many:
            self._element(slot, value, beside, depth, at)
            return
        values, besides = value or [], beside or []
        if type(values) is not list or type(besides) is not list:
            raise _cannot("A list is expected here.", at)
        for i in range(max(len(values), len(besides))):
            one = values[i] if i < len(values) else None
            self._element(slot, one, besides[i] if i < len(besides) else None, depth, f"{at}[{i}]")

    def _element(self, slot: Slot, value: Any, beside: Any, depth: int, place: str) -> None:
        if slot.form == "primitive":
            self._primitive(slot.name, value, beside or {}, depth, place)
        elif slot.form == "xhtml":
            self._lead(depth)
            self.parts.append(_canonical(value, place))
        elif type(value) is not dict:
            raise _cannot("An object is expected here.", place)
        elif slot.form == "resource":
            self._open(slot.name, depth)
            self.resource(value, depth + 1, place)
            self._close(slot.name, depth, 0)
        else:
            self._open(slot.name + _attributes(value, slot.type, place), depth)
            before = len(self.parts)
            self._members(value, slot.type, depth + 1, place)
            self._close(slot.name, depth, before)

    def _primitive(self, name: str, value: Any, beside: Any, depth: int, place: str) -> None:
        if type(beside) is not dict:
            raise _cannot("An object is expected beside this value.", place)
        tag = name + _attributes(beside, PRIMITIVE, place)
        if value is not None:
            tag += f' value="{_text(value, place)}"'
        self._open(tag, depth)
        before = len(self.parts)
        self._members(beside, PRIMITIVE, depth + 1, place)
        self._close(name, depth, before)

    def _open(self, tag: str, depth: int) -> None:
        self._lead(depth)
        self.parts.append(f"<{tag}>")

    def _close(self, name: str, depth: int, before: int) -> None:
        """End an element; one that got nothing since `before` is written short."""
        if len(self.parts) == before:
            self.parts[-1] = f"{self.parts[-1][:-1]}/>"
            return
        self._lead(depth)
        self.parts.append(f"</{name}>")

    def _lead(self, depth: int) -> None:
        if self._pretty:
            self.parts.append("\n" + "  " * depth)


def _attributes(value: dict[str, Any], type_name: str, place: str) -> str:
    """The attributes of an object: its id, and the url of an extension."""
    slots = plan_of(type_name)
    text = ""
    for key in ("id", "url"):
        if key in value and key in slots and slots[key].form == "attribute":
            text += f' {key}="{_text(value[key], place)}"'
    return text


def _text(value: Any, place: str) -> str:
    """A primitive value as the text of an attribute."""
    kind = type(value)
    if kind is str:
        return str(value).translate(IN_ATTRIBUTE)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is _Number:
        return str(value)
    raise _cannot("A single value is expected here.", place)


def _canonical(value: Any, place: str) -> str:
    try:
        return canonical(value)
    except (NotXhtml, TypeError):
        raise _cannot("The narrative is not XHTML.", place) from None
