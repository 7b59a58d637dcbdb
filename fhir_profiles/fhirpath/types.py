"""The FHIR types as FHIRPath sees them: children by name, what is what (https://hl7.org/fhir/R4/fhirpath.html#types)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple

from fhir_profiles.definitions import load
from fhir_profiles.fhirpath.errors import PathError
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import Node, Quantity

SYSTEM = frozenset({"Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"})

TYPE_INFO = "TypeInfo"
"""What `type()` gives: an object with a namespace and a name."""


class Field(NamedTuple):
    """The JSON properties of an element: property → type. Only a choice has more than one."""

    keys: Mapping[str, str]
    only: tuple[str, str] | None
    shadow: str


@cache
def primitives() -> frozenset[str]:
    """The primitive types, xhtml too."""
    return frozenset(n for n, t in load().types.items() if t.kind == "primitive-type") | {"xhtml"}


@lru_cache(maxsize=2_048)
def fields(type_name: str) -> Mapping[str, Field]:
    """Element → properties of a type; of a primitive its `id` and `extension`; nothing for what is no type."""
    if type_name == TYPE_INFO:
        return {name: Field({name: "string"}, (name, "string"), f"_{name}") for name in ("namespace", "name")}
    type_ = load().types.get("Element" if type_name in primitives() else type_name)
    if type_ is None:
        return {}
    found = {}
    for element in type_.elements:
        keys = element.properties()
        found[element.name] = Field(keys, next(iter(keys.items())) if len(keys) == 1 else None, f"_{element.name}")
    return found


@lru_cache(maxsize=2_048)
def _by_key(type_name: str) -> Mapping[str, str]:
    """JSON property → type."""
    return {key: of for field in fields(type_name).values() for key, of in field.keys.items()}


def children(node: Node, name: str) -> list[Node]:
    """The children of a node by the name of their element, for a choice without its type."""
    value = node.value
    if type(value) is not dict:
        value = node.shadow
        if type(value) is not dict:
            return []
    field = fields(node.type).get(name)
    if field is None:
        return []
    if field.only is not None:
        return _of(value, *field.only)
    for key in value:
        bare = key[1:] if key[:1] == "_" else key
        if bare in field.keys:
            return _of(value, bare, field.keys[bare])
    return []


def has_child(node: Node, name: str) -> bool:
    """Whether `children` finds any: the question that most invariants ask."""
    value = node.value
    if type(value) is not dict:
        return bool(children(node, name))
    field = fields(node.type).get(name)
    if field is None:
        return False
    if field.only is not None:
        found = value.get(field.only[0])
        return (found is not None and found != []) or value.get(field.shadow) is not None
    return any((key[1:] if key[:1] == "_" else key) in field.keys for key in value)


def every_child(node: Node) -> Iterator[Node]:
    """All children, in the order of the JSON."""
    value = node.value if type(node.value) is dict else node.shadow
    if type(value) is not dict:
        return
    by_key = _by_key(node.type)
    for key in value:
        bare = key[1:] if key[:1] == "_" else key
        if bare in by_key and (bare is key or bare not in value):
            yield from _of(value, bare, by_key[bare])


def _of(owner: dict[str, Any], key: str, of: str) -> list[Node]:
    value = owner.get(key)
    shadow = owner.get("_" + key)
    kind = type(value)
    if kind is list or (value is None and type(shadow) is list):
        return _items(owner, key, of, value or (), shadow)
    if value is None:
        return [] if shadow is None else [Node(None, of, shadow, owner, key)]
    if kind is dict and of == "Resource":
        of = str(value.get("resourceType", of))
    return [Node(value, of, shadow, owner, key)]


def _items(owner: dict[str, Any], key: str, of: str, values: Any, shadows: Any) -> list[Node]:
    if type(shadows) is not list:
        if of == "Resource":
            return [Node(v, str(v.get("resourceType", of)), None, owner, key, i) for i, v in enumerate(values)]
        return [Node(v, of, None, owner, key, i) for i, v in enumerate(values) if v is not None]
    found = []
    for i in range(max(len(values), len(shadows))):
        value = values[i] if i < len(values) else None
        shadow = shadows[i] if i < len(shadows) else None
        if value is not None or shadow is not None:
            found.append(Node(value, of, shadow, owner, key, i))
    return found


@lru_cache(maxsize=4_096)
def is_subtype(type_name: str, ancestor: str) -> bool:
    """Whether a FHIR type is another one or is derived from it."""
    types = load().types
    while type_name != ancestor:
        type_ = types.get(type_name)
        if type_ is None:
            return False
        type_name = type_.kind if type_.kind in ("BackboneElement", "Element") else type_.base
    return True


def system_type(value: Any) -> str:
    """The name in the namespace System of a value that is no Node."""
    match value:
        case bool():
            return "Boolean"
        case int():
            return "Integer"
        case Decimal():
            return "Decimal"
        case Temporal():
            return value.kind
        case Quantity():
            return "Quantity"
    return "String"


class Type(NamedTuple):
    """A type as an expression names it; an empty namespace means FHIR before System."""

    namespace: str
    name: str

    def holds(self, item: Any) -> bool:
        """Whether `item is T`."""
        if isinstance(item, Node):
            return self.namespace != "System" and is_subtype(item.type, self.name)
        return self.namespace != "FHIR" and system_type(item) == self.name

    def selects(self, item: Any) -> bool:
        """Whether `as` and `ofType` keep the item: a primitive must have exactly that type."""
        if isinstance(item, Node) and item.type in primitives():
            return self.namespace != "System" and item.type == self.name
        return self.holds(item)


def named(text: str) -> Type:
    """The type of a specifier; PathError when there is none of that name."""
    namespace, _, name = text.rpartition(".")
    if namespace == "System" or (not namespace and name in SYSTEM and name != "Quantity"):
        return Type("System", name)
    if namespace in ("", "FHIR") and (name in load().types or name in ("Quantity", "xhtml")):
        return Type(namespace, name)
    raise PathError("a type is named that FHIR does not have.")
