"""Typed views of R4 resources: msgspec structs made from the definitions (https://hl7.org/fhir/R4/datatypes.html).

    patient = structs.decode(body)
    patient.birthDate, patient.name[0].family

For code that wants attributes and types instead of a dict. Structs are made when first asked for. An absent element
is UNSET and decimals are `Decimal`, so `fhir_profiles.json.encode` gives back what was read. Python's keywords get a
`_` at the end (`Encounter.class_`). Resources inside resources stay dicts. Decoding refuses unknown properties and
wrong JSON types; whether the resource is valid says `fhir_profiles.validate`.
"""

from __future__ import annotations

import keyword
import threading
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from fhir_profiles.definitions import Element, Type, load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.primitives import PREDICATES

_JSON = {
    "boolean": "bool",
    "decimal": "Decimal | int",
    "integer": "int",
    "positiveInt": "int",
    "unsignedInt": "int",
    "xhtml": "str",
    "Resource": "dict[str, Any]",
}
_NAMESPACE = {"Any": Any, "Decimal": Decimal, "UnsetType": msgspec.UnsetType}
"""What the annotations of the structs below may name; the structs themselves join it as module globals."""

_structs: dict[str, type[msgspec.Struct]] = {}
_lock = threading.RLock()


class _Envelope(msgspec.Struct):
    resourceType: str


def struct(name: str) -> type[msgspec.Struct]:
    """The struct of a resource type, datatype or backbone element (`Claim.item`); KeyError for none of R4."""
    with _lock:
        if name not in _structs:
            _make(name, load().types[name])
        return _structs[name]


def decode(body: bytes) -> Any:
    """The resource in `body` as its struct; FhirError(INCORRECT) says where its JSON does not fit the type."""
    try:
        name = msgspec.json.decode(body, type=_Envelope).resourceType
        if name not in load().resource_types:
            raise FhirError.of(
                Category.INCORRECT, "structure", "The resourceType is not a resource of FHIR R4 (4.0.1)."
            )
        return _decoder(name).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        reason = e if isinstance(e, msgspec.ValidationError) else "it is not well-formed JSON"
        raise FhirError.of(Category.INCORRECT, "structure", f"The body does not fit: {reason}.") from None


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(struct(name))


def _make(name: str, type_: Type) -> None:
    """Make the struct of `name` and, since annotations name them, of every type it reaches."""
    attributes: dict[str, str] = {}
    fields: list[tuple[str, Any, Any]] = []
    reached: list[str] = []
    for key, (element, of) in type_.by_key.items():
        for attribute, annotation in _annotations(key, element, of):
            safe = f"{attribute}_" if keyword.iskeyword(attribute) else attribute
            attributes[safe] = attribute
            fields.append((safe, f"{annotation} | UnsetType", msgspec.UNSET))
        reached += [t for t in (of, "Element") if t not in PREDICATES and t not in _JSON]
    resource = type_.kind == "resource"
    _structs[name] = globals()[_identifier(name)] = msgspec.defstruct(
        _identifier(name),
        fields,
        module=__name__,
        rename=attributes,
        forbid_unknown_fields=True,
        tag_field="resourceType" if resource else None,
        tag=name if resource else None,
    )
    for other in reached:
        struct(other)


def _annotations(key: str, element: Element, of: str) -> list[tuple[str, str]]:
    """Property → annotation for an element and, beside a primitive, its `_` sibling."""
    inner = "str" if of in PREDICATES and of not in _JSON else _JSON.get(of, _identifier(of))
    primitive = of in PREDICATES
    many = f"list[{inner} | None]" if primitive else f"list[{inner}]"
    out = [(key, many if element.many else inner)]
    if primitive:
        out.append((f"_{key}", "list[Element | None]" if element.many else "Element"))
    return out


def _identifier(name: str) -> str:
    return name.replace(".", "_")


globals().update(_NAMESPACE)
