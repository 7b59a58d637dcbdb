"""The routes of FHIR operations (https://hl7.org/fhir/R4/operations.html)."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_profiles.capability import Declared
from fhir_profiles.served import Parameter, id_of, told_operations
from server.http.openapi.parts import JSON, Tree, parameter, ref, response
from server.http.openapi.primitives import PRIMITIVES
from server.http.openapi.routes import named, route


def operation_paths(one: Declared, base: str, types: Sequence[str]) -> Tree:
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
            body = _arguments(one) if method == "POST" else None
            made = route(identifier, tag, text, statuses, *ids, *query, body=body)
            paths.setdefault(f"{place}/${one.name}", {})[method.lower()] = made
    return paths


_EXAMPLES = ("Patient", "Observation")


def _argument(told: Parameter) -> Tree:
    return parameter(told.name, "query", told.text, PRIMITIVES[told.type], required=told.minimum > 0)


def _arguments(one: Declared) -> Tree:
    kinds = {JSON: {"schema": ref("schemas", "Parameters")}}
    if one.raw:
        kinds["text/plain"] = {"schema": {"type": "string"}}
    return {"required": False, "content": kinds}
