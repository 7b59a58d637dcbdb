"""The thorough half of validation: every problem of a resource with its place (https://hl7.org/fhir/R4/validation.html).

No text holds a value from the resource; a place holds property names and indexes only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_profiles import bindings, narrative
from fhir_profiles.definitions import Definitions, Element, load
from fhir_profiles.errors import Problem
from fhir_profiles.invariants import Rule
from fhir_profiles.primitives import EXPECTED, PREDICATES
from fhir_profiles.references import target_type, used_ids
from fhir_profiles.rules import element_rules, rules

_NAME = re.compile(r"_?[a-z][A-Za-z]{0,63}")  # a misspelt name is told again, what may be a value is not
_CONTAINED_META = ("versionId", "lastUpdated", "security")

Json = Mapping[str, Any]


def walk(resource: Any) -> Iterator[Problem]:
    """Every problem, warnings too, in the order of the definition; an unknown type is one problem."""
    yield from _Walk(load()).resource(resource, "", contained=False)


def _error(code: str, text: str, place: str, element: Element | None = None) -> Problem:
    return Problem("warning" if element and element.lenient else "error", code, text, place or None)


class _Walk:
    """One validation; holds the definitions so that each step need not pass them on."""

    def __init__(self, definitions: Definitions) -> None:
        self._d = definitions
        self._local: frozenset[str] | None = None  # the ids of contained resources; None where they are not looked at

    def resource(self, value: Any, place: str, *, contained: bool) -> Iterator[Problem]:
        """A resource at `place` (empty at the top, where its type becomes the place)."""
        name = value.get("resourceType") if type(value) is dict else None
        if type(name) is not str:
            yield _error("structure", "A resource must be a JSON object with a resourceType.", place)
            return
        if name not in self._d.resource_types:
            yield _error("structure", "The resourceType is not a resource of FHIR R4 (4.0.1).", place)
            return
        here = place or name
        if contained:
            yield from self._object(value, name, here)
            yield from self._as_contained(value, here)
        else:
            outer, self._local = self._local, _local_ids(value)
            yield from self._object(value, name, here)
            self._local = outer
            yield from self._same_ids(value, here)
            yield from self._unused(value, here)
            if "text" in self._d.types[name].by_name and "text" not in value:
                yield Problem("warning", "invariant", "dom-6: a narrative helps who cannot read the rest.", here)

    def _unused(self, value: Json, place: str) -> Iterator[Problem]:
        if "contained" not in value or value["resourceType"] in ("Bundle", "Parameters"):
            return
        used = used_ids(value)
        for i, name in _contained_ids(value):
            if name not in used:
                text = "Nothing refers to this contained resource (dom-3). Refer to it by '#id' or leave it out."
                yield _error("invariant", text, f"{place}.contained[{i}]")

    def _as_contained(self, value: Json, place: str) -> Iterator[Problem]:
        if "id" not in value:
            yield _error("required", "A contained resource needs an id to be referred to.", place)
        if "contained" in value:
            text = "A contained resource must not contain resources itself (dom-2). Contain them in the outer one."
            yield _error("invariant", text, f"{place}.contained")
        meta = value.get("meta")
        for name in _CONTAINED_META:
            if type(meta) is dict and name in meta:
                yield _error("invariant", f"A contained resource has no meta.{name} (dom-4, dom-5).", f"{place}.meta")

    def _same_ids(self, value: Json, place: str) -> Iterator[Problem]:
        seen: set[str] = set()
        for i, name in _contained_ids(value):
            if name in seen:
                text = "Another contained resource has the same id. Give each its own."
                yield _error("invariant", text, f"{place}.contained[{i}]")
            seen.add(name)

    def _object(self, value: Any, type_name: str, place: str) -> Iterator[Problem]:
        """The problems of an object; its invariants are asked only when it has no other."""
        sound = True
        for problem in self._structure(value, type_name, place):
            sound = sound and problem.severity != "error"
            yield problem
        yield from _broken(rules(type_name) if sound else (), value, place)

    def _structure(self, value: Any, type_name: str, place: str) -> Iterator[Problem]:
        if type(value) is not dict:
            yield _error("structure", f"Expected a JSON object ({type_name}).", place)
            return
        if not (value.keys() - {"id", "resourceType"}) and self._d.types[type_name].kind != "resource":
            yield _error("structure", "An object must have content besides an id (ele-1). Leave it out.", place)
        by_key = self._d.types[type_name].by_key
        for key in value:
            if key in by_key or (key == "resourceType" and self._d.types[type_name].kind == "resource"):
                continue
            base = by_key.get(key[1:]) if key.startswith("_") else None
            if base is None or base[1] not in PREDICATES or not _extensible(key[1:]):
                told = _NAME.fullmatch(key) or key[:1].lower() + key[1:] in by_key
                at = f"{place}.{key}" if told else place
                yield _error("structure", f"{type_name} has no such property in R4. Remove or rename it.", at)
        for element in self._d.types[type_name].elements:
            yield from self._element(value, element, place, type_name)
        if type_name == "Extension":
            has_value = any(k.startswith(("value", "_value")) for k in value)
            if has_value == ("extension" in value):
                yield _error("invariant", "An extension has either a value or extensions (ext-1).", place)

    def _element(self, owner: Json, element: Element, place: str, type_name: str) -> Iterator[Problem]:
        at = f"{place}.{element.name}"
        present = [
            key
            for key, of in element.properties().items()
            if key in owner or (f"_{key}" in owner and of in PREDICATES and _extensible(key))
        ]
        if element.minimum and not present:
            yield _error("required", f"{type_name} needs {element.name}; it is missing.", at, element)
        if len(present) > 1:
            yield _error("structure", f"Only one type of {element.name}[x] may be given, not {len(present)}.", at)
        for key in present:
            of = element.properties()[key]
            if of in PREDICATES:
                yield from self._primitive(owner, key, element, of, at)
                yield from self._primitive_rules(owner.get(key), element, of, at, type_name)
            else:
                yield from self._complex(owner[key], element, of, at, type_name)

    def _primitive_rules(self, value: Any, element: Element, of: str, at: str, owner_type: str) -> Iterator[Problem]:
        if type(value) is not list and PREDICATES[of](value):
            yield from _broken(element_rules(owner_type, element.name, of), value, at)

    def _complex(self, value: Any, element: Element, of: str, at: str, owner_type: str) -> Iterator[Problem]:
        if not element.many:
            yield from self._value(value, element, of, at, owner_type)
        elif type(value) is not list or not value:
            yield _error("structure", "Expected a JSON array with at least one item.", at)
        else:
            for i, item in enumerate(value):
                yield from self._value(item, element, of, f"{at}[{i}]", owner_type)

    def _value(self, value: Any, element: Element, of: str, at: str, owner_type: str) -> Iterator[Problem]:
        if of == "Resource":
            yield from self.resource(value, at, contained=element.name == "contained")
            return
        if of == "xhtml":
            wrong = narrative.fault(value) if type(value) is str else "must be a string"
            if wrong:
                yield _error("invalid", f"The narrative {wrong} (txt-1, txt-2).", at)
            return
        before = list(self._object(value, of, at))
        yield from before
        if type(value) is not dict or any(p.severity == "error" for p in before):
            return
        if of == "Reference":
            yield from self._target(value.get("reference"), element, at)
        yield from self._concept(value, element, of, at)
        yield from _broken(element_rules(owner_type, element.name, of), value, at)

    def _target(self, written: str | None, element: Element, at: str) -> Iterator[Problem]:
        if written is None:
            return
        named = target_type(written, self._d)
        place = f"{at}.reference"
        if self._local is not None and written[:1] == "#" and written != "#" and written[1:] not in self._local:
            yield _error("invariant", "No contained resource has the id that follows '#' (ref-1).", place)
        if named is None:
            text = "Not a reference: write Type/id, #id, an absolute URL or urn:uuid, with a resource type of R4."
            yield _error("value", text, place)
        elif named and element.targets and named not in element.targets:
            text = f"A reference here must be to {' or '.join(element.targets)}."
            yield _error("value", text, place, element)

    def _concept(self, value: Json, element: Element, of: str, at: str) -> Iterator[Problem]:
        codings = value.get("coding", ()) if of == "CodeableConcept" else [value] if of == "Coding" else None
        if codings is None or element.binding is None:
            return
        unlisted = bindings.unlisted(element.binding)
        required = element.binding.strength == "required"
        if unlisted is not None and not bindings.allows_one(unlisted, codings, required=required):
            yield _error("code-invalid", f"A code of the value set {unlisted} is required here.", at)
        sets = self._required(element)
        if sets is None:
            return
        if not any(c.get("code") in sets.get(c.get("system", ""), ()) for c in codings):
            text = f"A code of the value set {element.binding.value_set} is required here."
            yield _error("code-invalid", text, at)

    def _required(self, element: Element) -> Mapping[str, frozenset[str]] | None:
        if element.binding is None or element.binding.strength != "required":
            return None
        return self._d.value_sets.get(element.binding.value_set)

    def _primitive(self, owner: Json, key: str, element: Element, of: str, at: str) -> Iterator[Problem]:
        absent = object()
        value, shadow = owner.get(key, absent), owner.get(f"_{key}", absent)
        if not element.many:
            if value is not absent:
                yield from self._scalar(value, element, of, at)
            if shadow is not absent:
                yield from self._shadow(shadow, at, alone=value is absent)
            return
        for side in (value, shadow):
            if side is not absent and (type(side) is not list or not side):
                yield _error("structure", "Expected a JSON array with at least one item.", at)
                return
        values = value if type(value) is list else []
        shadows = shadow if type(shadow) is list else []
        if values and shadows and len(values) != len(shadows):
            yield _error("structure", f"{key} and _{key} must have the same number of items; fill with null.", at)
        for i in range(max(len(values), len(shadows))):
            one = values[i] if i < len(values) else None
            extra = shadows[i] if i < len(shadows) else None
            if one is not None:
                yield from self._scalar(one, element, of, f"{at}[{i}]")
            if extra is not None:
                yield from self._shadow(extra, f"{at}[{i}]", alone=one is None)
            if one is None and extra is None:
                yield _error("structure", "A null stands here without an extension beside it.", f"{at}[{i}]")

    def _scalar(self, value: Any, element: Element, of: str, at: str) -> Iterator[Problem]:
        if not PREDICATES[of](value):
            code = "structure" if type(value) in (dict, list) else "value"
            yield _error(code, f"Expected {EXPECTED[of]} ({of}).", at)
            return
        unlisted = bindings.unlisted(element.binding) if of == "code" else None
        if unlisted is not None and not bindings.allows(unlisted, value):
            yield _error("code-invalid", f"The code is not in the value set {unlisted}.", at)
        sets = self._required(element) if of == "code" else None
        if sets is not None and element.binding and not any(value in codes for codes in sets.values()):
            yield _error("code-invalid", f"The code is not in the value set {element.binding.value_set}.", at)

    def _shadow(self, value: Any, at: str, *, alone: bool) -> Iterator[Problem]:
        if type(value) is not dict or not value:
            yield _error("structure", "Expected a JSON object with an id or extensions.", at)
        elif not alone and value.keys() == {"id"}:
            if not PREDICATES["string"](value["id"]):
                yield _error("value", f"Expected {EXPECTED['string']} (string).", f"{at}.id")
        else:
            yield from self._object(value, "Element", at)


def _broken(asked: tuple[Rule, ...], value: Any, place: str) -> Iterator[Problem]:
    for rule in asked:
        if not rule.holds(value):
            at = f"{place}.{rule.at}" if rule.at else place
            yield Problem(rule.severity, "invariant", f"{rule.key}: {rule.text}.", at)


def _contained_ids(value: Json) -> list[tuple[int, str]]:
    """Index and id of the contained resources that have one."""
    contained = value.get("contained")
    items = contained if type(contained) is list else []
    return [(i, c["id"]) for i, c in enumerate(items) if type(c) is dict and type(c.get("id")) is str]


def _local_ids(value: Json) -> frozenset[str] | None:
    """The ids that a reference by `#` may name; in a Bundle or Parameters each resource answers for itself."""
    if value["resourceType"] in ("Bundle", "Parameters"):
        return None
    return frozenset(name for _, name in _contained_ids(value))


def _extensible(key: str) -> bool:
    """Whether a primitive can carry a `_` sibling: ids and the url of an extension are attributes."""
    return key not in ("id", "url")
