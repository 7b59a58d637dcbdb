"""FHIR XML to JSON, in one pass of a parser that takes no document type (https://hl7.org/fhir/R4/xml.html)."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

import msgspec

from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import FHIR, XHTML, XML_SCHEMA_INSTANCE
from fhir_profiles.xml.plan import PRIMITIVE, Plan, Slot, plan_of
from fhir_profiles.xml.xhtml import Div, NotXhtml

MAX_DEPTH = 200

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_INTEGERS = frozenset({"integer", "positiveInt", "unsignedInt"})
_BOOLEANS = {"true": True, "false": False}
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


def to_json(body: bytes) -> bytes:
    """The FHIR JSON of a resource in XML; FhirError(INCORRECT) names the line and the element that are wrong."""
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except expat.ExpatError as e:
        raise _error(e.lineno, f"This is not well-formed XML (column {e.offset + 1}).", "") from None
    except UnicodeError:
        raise _error(reader.line, "The body is not UTF-8. Send UTF-8.", "") from None
    return json.encode(reader.resource)


def _error(line: int, text: str, place: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "structure", f"Line {line}: {text}", place or None)


class _Frame:
    """One element that is open: its JSON so far, and what may stand in it."""

    __slots__ = ("besides", "children", "place", "plan", "slot", "text", "value")

    def __init__(self, slot: Slot | None, plan: Plan, value: dict[str, Any], place: str) -> None:
        self.slot = slot
        self.plan = plan
        self.value = value
        self.place = place
        self.text: Any = None  # the value of a primitive
        self.children = False
        self.besides: list[str] = []  # properties that are lists of primitives


class _Reader:
    """The handlers of the parser and the elements that are open."""

    def __init__(self) -> None:
        self.resource: dict[str, Any] = {}
        self._stack: list[_Frame] = []
        self._div: Div | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    @property
    def line(self) -> int:
        """Where the parser is."""
        return self.parser.CurrentLineNumber

    def _wrong(self, text: str, place: str = "") -> FhirError:
        return _error(self.line, text, place or (self._stack[-1].place if self._stack else ""))

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _UTF8:
            raise self._wrong("The document declares another encoding than UTF-8. Send UTF-8.")

    def _doctype(self, *_declared: Any) -> None:
        raise self._wrong("A document type is not taken. Leave it and its entities out.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._stack) + (self._div.depth if self._div else 0) >= MAX_DEPTH:
            raise self._wrong(f"The elements are nested more than {MAX_DEPTH} levels deep. Flatten them.")
        namespace, _, local = name.rpartition(" ")
        if self._div is not None or (namespace == XHTML and local == "div"):
            self._start_xhtml(name, local, attributes)
        elif namespace != FHIR:
            raise self._wrong(f"An element of another namespace than {FHIR} stands here.")
        elif not self._stack or self._stack[-1].plan is _HOLDER:
            self._start_resource(local, attributes)
        else:
            self._start_element(local, attributes)

    def _start_resource(self, name: str, attributes: dict[str, str]) -> None:
        """A resource: the document itself, or inside `contained`, `resource` and their like."""
        place = self._stack[-1].place if self._stack else name
        if name not in load().resource_types:
            raise self._wrong("The element is not a resource of FHIR R4 (4.0.1).", "" if not self._stack else place)
        if self._stack:
            if self._stack[-1].children:
                raise self._wrong("Only one resource may stand here.")
            self._stack[-1].children = True
        frame = _Frame(None, plan_of(name), {"resourceType": name}, place)
        self._stack.append(frame)
        for key in attributes:
            if not key.startswith(XML_SCHEMA_INSTANCE):
                raise self._wrong("A resource has no attributes. Write its id as an element.")

    def _start_element(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._stack[-1]
        slot = parent.plan.get(name)
        if slot is None or slot.form in ("attribute", "xhtml"):
            told = name if _NAME.fullmatch(name) else "this"
            raise self._wrong(f"There is no element {told} here in R4. Remove or rename it.")
        place = f"{parent.place}.{name}"
        parent.children = True
        if slot.many:
            place += f"[{len(parent.value.get(name, ()))}]"
        elif name in parent.value or f"_{name}" in parent.value:
            raise self._wrong("The element may stand here once only.", place)
        primitive = slot.form == "primitive"
        plan = _HOLDER if slot.form == "resource" else plan_of(PRIMITIVE if primitive else slot.type)
        frame = _Frame(slot, plan, {}, place)
        self._stack.append(frame)
        for key, text in attributes.items():
            if primitive and key == "value":
                frame.text = self._convert(text, slot.type)
            elif (found := plan.get(key)) and found.form == "attribute":
                frame.value[key] = text
            else:
                raise self._wrong("The element has an attribute that FHIR does not know. Remove it.")

    def _convert(self, text: str, of: str) -> Any:
        """The JSON value of an attribute."""
        if of == "boolean" and text in _BOOLEANS:
            return _BOOLEANS[text]
        if of in _INTEGERS and _INTEGER.fullmatch(text):
            return int(text)
        if of == "decimal" and _DECIMAL.fullmatch(text):
            return msgspec.Raw(text.encode())
        if of in ("boolean", "decimal") or of in _INTEGERS:
            raise self._wrong(f"The value is not a {of}.")
        return text

    def _end(self, _name: str) -> None:
        if self._div is not None:
            self._div.end()
            if not self._div.depth:
                self._stack[-1].value["div"] = str(self._div)
                self._div = None
            return
        frame = self._stack.pop()
        for key in frame.besides:
            _tidy(frame.value, key)
        if frame.slot is None:
            self._end_resource(frame.value)
        elif frame.slot.form == "primitive":
            self._end_primitive(frame, frame.slot)
        elif frame.slot.form == "complex":
            self._keep(frame.slot, frame.value)
        elif not frame.children:
            raise self._wrong("A resource is missing in this element.", frame.place)

    def _end_resource(self, value: dict[str, Any]) -> None:
        if self._stack:
            slot = self._stack[-1].slot
            assert slot is not None
            self._keep(slot, value, self._stack[-2])
        else:
            self.resource = value

    def _end_primitive(self, frame: _Frame, slot: Slot) -> None:
        if frame.text is None and not frame.value:
            raise self._wrong("The element has neither a value nor an extension. Leave it out.", frame.place)
        owner = self._stack[-1]
        if not slot.many:
            if frame.text is not None:
                owner.value[slot.name] = frame.text
            if frame.value:
                owner.value[f"_{slot.name}"] = frame.value
            return
        if slot.name not in owner.value:
            owner.value[slot.name], owner.value[f"_{slot.name}"] = [], []
            owner.besides.append(slot.name)
        owner.value[slot.name].append(frame.text)
        owner.value[f"_{slot.name}"].append(frame.value or None)

    def _keep(self, slot: Slot, value: dict[str, Any], owner: _Frame | None = None) -> None:
        """Put a finished object where it belongs."""
        into = (owner or self._stack[-1]).value
        if slot.many:
            into.setdefault(slot.name, []).append(value)
        else:
            into[slot.name] = value

    def _start_xhtml(self, name: str, local: str, attributes: dict[str, str]) -> None:
        """The div of a narrative, or an element in it."""
        if self._div is None:
            slot = self._stack[-1].plan.get("div") if self._stack else None
            if slot is None or slot.form != "xhtml":
                raise self._wrong("XHTML stands in the div of a narrative only.")
            if local in self._stack[-1].value:
                raise self._wrong("The element may stand here once only.")
            self._div = Div()
        try:
            self._div.start(name, attributes)
        except NotXhtml:
            raise self._wrong("The narrative holds something of another namespace than XHTML.") from None

    def _characters(self, data: str) -> None:
        if self._div is not None:
            self._div.text(data)
        elif not data.isspace():
            raise self._wrong("Text stands between the elements; FHIR has it in value attributes.")


_HOLDER: Plan = {}
"""The plan of an element whose content is a resource."""


def _tidy(value: dict[str, Any], key: str) -> None:
    """Leave out the side of a list of primitives that says nothing."""
    for side in (key, f"_{key}"):
        if all(item is None for item in value[side]):
            del value[side]
