"""Resources as JSON Schema, two levels deep: enough to read, to try out and to test with; the server checks the rest.

Each type stands under its name with all its elements; the types inside it stand under `Name.1` with their simple ones.
Extensions, contained resources and what lies deeper are left out: they may be sent all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_profiles.definitions import Element, load
from server.http.openapi.primitives import PRIMITIVES

Schema = dict[str, Any]
Components = dict[str, Schema]

MAX_CODES = 60
_OF_RESOURCES = frozenset({"extension", "modifierExtension", "contained", "implicitRules", "language"})
_OF_ELEMENTS = frozenset({"extension", "modifierExtension", "id"})
_ID = "[A-Za-z0-9.-]{1,64}"


class Schemas:
    """Makes the schemas of some types and, once each, of the types inside them."""

    def __init__(self) -> None:
        self.components: Components = {}

    def of_type(self, name: str) -> Schema:
        """A reference to the schema of a datatype, with its simple elements."""
        if name in PRIMITIVES:
            return self._primitive(name)
        self.components.setdefault(f"{name}.0", self._object(name, 0))
        return _ref(f"{name}.0")

    def resource(self, name: str) -> Schema:
        """A reference to the schema of a resource type."""
        if name not in self.components:
            made = self._object(name, 2)
            made["properties"] = {"resourceType": {"const": name}, **made["properties"]}
            made["required"] = ["resourceType", *made.get("required", ())]
            self.components[name] = made
        return _ref(name)

    def _object(self, type_name: str, depth: int) -> Schema:
        """An object with the elements of a type, those of complex types down to a depth."""
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for element in load().types[type_name].elements:
            if element.name in (_OF_RESOURCES if load().types[type_name].kind == "resource" else _OF_ELEMENTS):
                continue
            for key, of in element.properties().items():
                schema = self._of(element, of, depth)
                if schema is None:
                    continue
                properties[key] = {"type": "array", "minItems": 1, "items": schema} if element.many else schema
                if element.minimum and not element.choice:
                    required.append(key)
        made: Schema = {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
        return made | ({"required": required} if required else {})

    def _of(self, element: Element, of: str, depth: int) -> Schema | None:
        """The schema of one element as one of its types; None for an optional one that lies too deep."""
        if of in PRIMITIVES:
            codes = _codes(element) if of == "code" else ()
            return {"enum": list(codes)} if codes else self._primitive(of)
        if of == "Reference":
            return self._reference(element.targets)
        if of in ("CodeableConcept", "Coding") and (bound := self._bound(element, of)):
            return bound
        if of == "Resource":
            return {"type": "object"} if element.minimum else None
        if depth == 0 and not element.minimum:
            return None
        below = 0 if self._simple(of) else max(depth - 1, 0)
        name = f"{of}.{below}"
        if name not in self.components:
            self.components[name] = {}  # so that a type which holds itself ends here
            self.components[name] = self._object(of, below)
        return _ref(name)

    def _primitive(self, of: str) -> Schema:
        if of == "boolean":
            return PRIMITIVES[of]
        self.components[of] = PRIMITIVES[of]
        return _ref(of)

    def _reference(self, targets: tuple[str, ...]) -> Schema:
        named = "|".join(targets) if targets else "Patient|Practitioner|Organization|Observation"
        pattern = f"^({named})/{_ID}$"
        return {
            "type": "object",
            "properties": {
                "reference": {"type": "string", "pattern": pattern},
                "display": self._primitive("string"),
            },
            "additionalProperties": False,
            "required": ["reference"],
        }

    def _bound(self, element: Element, of: str) -> Schema | None:
        """A concept that must have one of a few codes."""
        sets = _sets(element)
        if len(sets) != 1:
            return None
        ((system, codes),) = sets.items()
        coding = {
            "type": "object",
            "properties": {"system": {"const": system}, "code": {"enum": sorted(codes)}},
            "additionalProperties": False,
            "required": ["system", "code"],
        }
        if of == "Coding":
            return coding
        return {
            "type": "object",
            "properties": {
                "coding": {"type": "array", "minItems": 1, "items": coding},
                "text": self._primitive("string"),
            },
            "additionalProperties": False,
            "required": ["coding"],
        }

    def _simple(self, of: str) -> bool:
        return all(set(e.types) <= set(PRIMITIVES) for e in load().types[of].elements)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _sets(element: Element) -> Mapping[str, frozenset[str]]:
    if element.binding is None or element.binding.strength != "required":
        return {}
    found = load().value_sets.get(element.binding.value_set, {})
    return found if sum(map(len, found.values())) <= MAX_CODES else {}


def _codes(element: Element) -> tuple[str, ...]:
    return tuple(sorted({code for codes in _sets(element).values() for code in codes}))
