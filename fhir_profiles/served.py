"""The definitions that the server itself speaks by, as resources: operations and search parameters.

https://hl7.org/fhir/R4/conformance-module.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

from fhir_profiles.capability import Declared
from fhir_profiles.definitions import SearchParam, load

Resource = dict[str, Any]


class Parameter(NamedTuple):
    """One parameter of an operation."""

    name: str
    use: str
    minimum: int
    maximum: str
    type: str
    text: str


class Told(msgspec.Struct, frozen=True):
    """What is told of an operation beside where it is called.

    `page` is its page in docs/; `body` names the one property of a JSON body that is no Parameters.
    """

    title: str
    text: str
    parameters: tuple[Parameter, ...]
    page: str = ""
    affects: bool = False
    body: str = ""


@cache
def told_operations() -> Mapping[str, Told]:
    """What is told of each operation, by the id of its OperationDefinition."""
    raw = files("fhir_profiles").joinpath("operations.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, Told])


def id_of(canonical: str) -> str:
    """The id of the definition that a canonical URL names."""
    return canonical.rpartition("/")[2]


def find(resource_type: str, resource_id: str, operations: Sequence[Declared]) -> Resource | None:
    """The definition of this type and id, or None; `operations` are those that the server answers."""
    if resource_type == "OperationDefinition":
        same = [one for one in operations if id_of(one.definition) == resource_id]
        return _operation(resource_id, same) if same else None
    if resource_type == "SearchParameter":
        parameter = _search_parameters().get(resource_id)
        return _search_parameter(resource_id, parameter) if parameter else None
    return None


@cache
def _search_parameters() -> Mapping[str, SearchParam]:
    every = (p for name in load().resource_types for p in load().search_params(name).values())
    return {id_of(p.url): p for p in every}


def _operation(definition_id: str, declared: Sequence[Declared]) -> Resource:
    """An OperationDefinition; several registrations of one definition add up."""
    one = declared[0]
    told = told_operations().get(definition_id) or Told(one.name, f"The operation ${one.name}.", ())
    levels = {level for each in declared for level in each.levels}
    types = sorted({name for each in declared for name in each.types or ("Resource",)})
    resource = {
        "resourceType": "OperationDefinition",
        "id": definition_id,
        "url": one.definition,
        "name": "".join(part[:1].upper() + part[1:] for part in definition_id.split("-")),
        "title": told.title,
        "status": "active",
        "kind": "operation",
        "description": told.text,
        "affectsState": told.affects,
        "code": one.name,
        **({"resource": types} if levels != {"system"} else {}),
        "system": "system" in levels,
        "type": "type" in levels,
        "instance": "instance" in levels,
    }
    parameters = [
        {"name": p.name, "use": p.use, "min": p.minimum, "max": p.maximum, "documentation": p.text}
        | {"type": "Any" if p.type == "Resource" else p.type}
        for p in told.parameters
    ]
    return resource | ({"parameter": parameters} if parameters else {})


def _search_parameter(definition_id: str, p: SearchParam) -> Resource:
    resource: Resource = {
        "resourceType": "SearchParameter",
        "id": definition_id,
        "url": p.url,
        "name": p.code,
        "status": "active",
        "description": f"The search parameter {p.code} of {', '.join(p.base)} in FHIR R4.",
        "code": p.code,
        "base": list(p.base),
        "type": p.type,
    }
    if p.expression:
        resource |= {"expression": p.expression, "xpathUsage": "normal"}
    if p.targets:
        resource["target"] = list(p.targets)
    if p.components:
        urls = {c.code: load().search_params(p.base[0]).get(c.code) for c in p.components}
        resource["component"] = [
            {"definition": found.url, "expression": c.expression} for c in p.components if (found := urls[c.code])
        ]
    return resource
