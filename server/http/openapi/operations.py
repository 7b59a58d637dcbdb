"""The routes of FHIR operations (https://hl7.org/fhir/R4/operations.html)."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_profiles.capability import Declared
from fhir_profiles.definitions import load
from fhir_profiles.served import Parameter, Told, id_of, told_operations
from server.http.openapi.parts import JSON, Tree, parameter, ref, response
from server.http.openapi.primitives import PRIMITIVES
from server.http.openapi.routes import named, route
from server.http.openapi.schemas import Schemas


def operation_paths(one: Declared, base: str, types: Sequence[str], schemas: Schemas) -> Tree:
    """The routes of a FHIR operation; one that is known on every type is told for a few."""
    told = told_operations().get(id_of(one.definition))
    given = [p for p in told.parameters if p.use == "in"] if told else []
    on = [name for name in (one.types or _EXAMPLES) if name in types]
    places = [(base, "system", False)] if "system" in one.levels else []
    places += [(f"{base}/{name}", name, False) for name in on if "type" in one.levels]
    places += [(f"{base}/{name}/{{id}}", name, True) for name in on if "instance" in one.levels]
    text = told.title if told else f"${one.name}"
    statuses = {**response("200"), **response("202"), **response("204"), **response("4XX")}
    paths: Tree = {}
    for place, tag, instance in places:
        ids = named("id") if instance else ()
        for method in one.methods:
            identifier = (
                f"{one.name}{tag}{'Instance' if instance else ''}{'Post' if method == 'POST' else method.title()}"
            )
            query = [_argument(p) for p in given if method != "POST" and p.type in PRIMITIVES]
            body = _arguments(one, told, schemas) if method == "POST" else None
            made = route(identifier, tag, text, statuses, *ids, *query, body=body)
            paths.setdefault(f"{place}/${one.name}", {})[method.lower()] = made
    return paths


_EXAMPLES = ("Patient", "Observation")


def _argument(told: Parameter) -> Tree:
    return parameter(told.name, "query", told.text, PRIMITIVES[told.type], required=told.minimum > 0)


def _arguments(one: Declared, told: Told | None, schemas: Schemas) -> Tree:
    """The body of a POST: Parameters with those that the operation knows, or what else it takes."""
    kinds: Tree = {JSON: {"schema": _parameters(told, schemas)}}
    if told and told.body:
        query = {"type": "object", "properties": {told.body: {"type": "string"}}, "required": [told.body]}
        return {"required": True, "content": {"application/json": {"schema": query}}}
    if one.raw:
        kinds["text/plain"] = {"schema": {"type": "string"}}
    return {"required": False, "content": kinds}


def _parameters(told: Told | None, schemas: Schemas) -> Tree:
    given = [p for p in told.parameters if p.use == "in"] if told else []
    if not given:
        return ref("schemas", "Parameters")
    return {
        "type": "object",
        "required": ["resourceType", "parameter"],
        "properties": {
            "resourceType": {"const": "Parameters"},
            "parameter": {"type": "array", "minItems": 1, "items": {"anyOf": [_given(p, schemas) for p in given]}},
        },
        "additionalProperties": False,
    }


def _given(p: Parameter, schemas: Schemas) -> Tree:
    """One parameter in a Parameters resource: a resource, or a value of its type."""
    if p.type in load().resource_types or p.type == "Resource":
        key, value = "resource", schemas.resource("Patient" if p.type == "Resource" else p.type)
    else:
        key, value = f"value{p.type[0].upper()}{p.type[1:]}", schemas.of_type(p.type)
    properties = {"name": {"const": p.name}, key: value}
    return {"type": "object", "properties": properties, "required": ["name", key], "additionalProperties": False}
