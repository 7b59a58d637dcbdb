"""The fast half of validation: is this resource beyond doubt valid? (https://hl7.org/fhir/R4/validation.html)

Each type is compiled once into a function over its JSON. "No" only means that `fhir_profiles.walk` has to look; a test
holds the two together: what is accepted here has no problem there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from fhir_profiles import bindings, narrative
from fhir_profiles.definitions import Definitions, Element, load
from fhir_profiles.invariants import Holds
from fhir_profiles.primitives import PREDICATES, Predicate
from fhir_profiles.references import references, target_type, used_ids
from fhir_profiles.rules import element_rules, gate, rules

Choices = tuple[tuple[frozenset[str], int], ...]


class _Scope(threading.local):
    """Whether the resource in hand has shown a reference into its own `contained`."""

    local_seen = False


_scope = _Scope()
_types: dict[str, Predicate] = {}
_resources: dict[str, Predicate] = {}
_lock = threading.RLock()
_is_id = PREDICATES["id"]


def accepts(resource: Any) -> bool:
    """Whether the resource, with everything inside it, is valid without a closer look."""
    if type(resource) is not dict:
        return False
    check = _resource(resource.get("resourceType"))
    if check is None:
        return False
    outer, _scope.local_seen = _scope.local_seen, False
    try:
        return check(resource) and (
            not (_scope.local_seen or "contained" in resource) or _contained_agrees(resource, _scope.local_seen)
        )
    finally:
        _scope.local_seen = outer


def _resource(name: Any) -> Predicate | None:
    """The predicate of a resource type; None when R4 has no such type."""
    if type(name) is not str:
        return None
    found = _resources.get(name)
    if found is None and name in load().resource_types:
        found = _resources[name] = _type(name)
    return found


def _type(name: str) -> Predicate:
    """The predicate of a type. It is registered before its elements are compiled: types refer to each other."""
    if name in PREDICATES:
        return PREDICATES[name]
    if name == "Resource":
        return accepts
    if name == "xhtml":
        return _narrative
    with _lock:
        return _types[name] if name in _types else _compile(load(), name)


def _compile(d: Definitions, name: str) -> Predicate:
    type_ = d.types[name]
    fields: dict[str, Predicate] = {}
    choices = tuple((frozenset(e.properties()), e.minimum) for e in type_.elements if e.choice)
    required = [e.name for e in type_.elements if e.minimum and not e.choice and not e.lenient]
    if type_.kind == "resource":
        fields["resourceType"] = _anything
        required.append("resourceType")
    test = partial(_members, fields.get, tuple(required), choices, gate(rules(name)))
    if name == "Extension":
        test = partial(_extension, test, choices[0][0])
    _types[name] = test
    for element in type_.elements:
        for key, of in element.properties().items():
            fields[key] = _field(d, name, element, of)
            if of in PREDICATES and not element.many and key not in ("id", "url"):
                fields[f"_{key}"] = _type("Element")
    if "contained" in fields:
        fields["contained"] = partial(_list, _contained)
    return test


def _members(
    field: Callable[[str], Predicate | None],
    required: tuple[str, ...],
    choices: Choices,
    rules: tuple[Holds, ...],
    value: Any,
) -> bool:
    if type(value) is not dict or not value:
        return False
    for key, child in value.items():
        check = field(key)
        if check is None or not check(child):
            return False
    for key in required:
        if key not in value:
            return False
    for keys, minimum in choices:
        if not minimum <= len(keys & value.keys()) <= 1:
            return False
    for holds in rules:
        if not holds(value):
            return False
    return len(value) > 1 or "id" not in value


def _extension(members: Predicate, values: frozenset[str], value: Any) -> bool:
    """An extension has either one value or extensions of its own."""
    return members(value) and ("extension" in value) is values.isdisjoint(value)


def _ruled(plain: Predicate, own: tuple[Holds, ...], value: Any) -> bool:
    """The predicate of a type, narrowed by the invariants of the element."""
    return plain(value) and all(holds(value) for holds in own)


def _list(one: Predicate, value: Any) -> bool:
    if type(value) is not list or not value:
        return False
    for item in value:  # noqa: SIM110 - all() over a generator costs more than the items
        if not one(item):
            return False
    return True


def _contained(value: Any) -> bool:
    """A contained resource: an id, no contained resources of its own, and no meta of what is stored by itself."""
    if type(value) is not dict or "id" not in value or "contained" in value:
        return False
    meta = value.get("meta", ())
    if "versionId" in meta or "lastUpdated" in meta or "security" in meta:
        return False
    check = _resource(value.get("resourceType"))
    return check is not None and check(value)


def _contained_agrees(resource: dict[str, Any], local_seen: bool) -> bool:
    """Whether contained ids are unique, every local reference finds one, and each contained resource is used."""
    contained = resource.get("contained", ())
    ids = {c["id"] for c in contained}
    if len(ids) != len(contained) or (contained and not ids <= used_ids(resource)):
        return False
    local = (r["reference"] for r in references(resource) if r["reference"][:1] == "#") if local_seen else ()
    return all(r == "#" or r[1:] in ids for r in local)


def _narrative(value: Any) -> bool:
    return type(value) is str and narrative.fault(value) is None


def _anything(_: Any) -> bool:
    return True


def _field(d: Definitions, owner: str, element: Element, of: str) -> Predicate:
    one = _reference(d, element) if of == "Reference" else _bound(d, element, of)
    own = gate(element_rules(owner, element.name, of))
    if own:
        one = partial(_ruled, one, own)
    return partial(_list, one) if element.many else one


def _bound(d: Definitions, element: Element, of: str) -> Predicate:
    """The type's own predicate, narrowed to the codes of a required binding."""
    plain = _type(of)
    binding = element.binding
    unlisted = bindings.unlisted(binding)
    if unlisted is not None:
        return _unlisted(plain, unlisted, of, required=binding is not None and binding.strength == "required")
    if binding is None or binding.strength != "required" or binding.value_set not in d.value_sets:
        return plain
    if of == "code":
        return partial(_code_in, d.codes(binding.value_set))
    pairs = frozenset((s, c) for s, codes in d.value_sets[binding.value_set].items() for c in codes)
    if of == "Coding":
        return lambda value: plain(value) and (value.get("system"), value.get("code")) in pairs
    if of == "CodeableConcept":
        return lambda value: (
            plain(value) and any((c.get("system"), c.get("code")) in pairs for c in value.get("coding", ()))
        )
    return plain


def _unlisted(plain: Predicate, value_set: str, of: str, *, required: bool) -> Predicate:
    """The same for a value set that no table lists."""
    allows, allows_one = partial(bindings.allows, value_set), partial(bindings.allows_one, value_set, required=required)
    if of == "code":
        return lambda value: plain(value) and allows(value)
    if of == "Coding":
        return lambda value: plain(value) and allows_one((value,))
    if of == "CodeableConcept":
        return lambda value: plain(value) and allows_one(value.get("coding", ()))
    return plain


def _code_in(codes: frozenset[str], value: Any) -> bool:
    return type(value) is str and value in codes


def _reference(d: Definitions, element: Element) -> Predicate:
    """A Reference whose literal form names an allowed type."""
    plain = _type("Reference")
    allowed = frozenset(element.targets or d.resource_types)

    def test(value: Any) -> bool:
        if not plain(value):
            return False
        written = value.get("reference")
        if written is None:
            return True
        kind, _, rest = written.partition("/")
        if kind in allowed and _is_id(rest):
            return True
        if written[0] == "#":
            _scope.local_seen = True
        named = target_type(written, d)
        return named is not None and (named == "" or named in allowed or element.lenient)

    return test
