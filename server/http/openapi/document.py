"""The routes of FHIR as OpenAPI 3.1, from the CapabilityStatement (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fhir_profiles.capability import Declared
from server.http.openapi.operations import operation_paths
from server.http.openapi.parts import (
    FORM,
    FORMAT,
    PARAMETERS,
    RESPONSES,
    SCHEMAS,
    SEARCH_RESULT,
    Tree,
    content,
    response,
)
from server.http.openapi.primitives import PRIMITIVES
from server.http.openapi.routes import BUNDLE, HISTORY, named, route, search_parameter
from server.http.openapi.schemas import Schemas
from server.http.openapi.types import TypeRoutes


def describe_fhir(
    statement: Tree, operations: Sequence[Declared] = (), base: str = "/fhir", types: Collection[str] | None = None
) -> Tree:
    """The `paths` and `components` of what the CapabilityStatement declares, for some types or all."""
    rest = statement["rest"][0]
    schemas, parameters = Schemas(), dict(PARAMETERS)
    paths = _system(rest, base)
    for resource in rest["resource"]:
        if types is None or resource["type"] in types:
            paths.update(TypeRoutes(resource, base, schemas, parameters).paths())
    chosen = [r["type"] for r in rest["resource"] if types is None or r["type"] in types]
    for one in operations:
        paths.update(operation_paths(one, base, chosen, schemas))
    common = {f"search_{p['name']}": search_parameter(p) for p in rest["searchParam"] if p["name"] not in PARAMETERS}
    return {
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, **SCHEMAS},
            "parameters": {**parameters, **common},
            "responses": RESPONSES,
        },
    }


def _system(rest: Tree, base: str) -> Tree:
    """The routes of no type."""
    own = named(*(p["name"] if p["name"] in PARAMETERS else f"search_{p['name']}" for p in rest["searchParam"]))
    # what stands twice, stands once
    result = tuple(one for one in named(*SEARCH_RESULT, *FORMAT) if one not in own)
    form = {
        "required": False,
        "content": {FORM: {"schema": {"type": "object", "properties": {"_type": {"type": "string"}}}}},
    }
    bundle = {
        "type": "object",
        "required": ["resourceType", "type"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"enum": ["batch", "transaction"]},
            "entry": {"type": "array", "items": _ENTRY},
        },
        "additionalProperties": False,
    }
    return {
        f"{base}/metadata": {
            "get": route("capabilities", "system", "What this server can do.", response("200"), *named(*FORMAT))
        },
        base: {
            "get": route("searchSystem", "system", "Search all types.", BUNDLE, *own, *result),
            "post": route(
                "bundle",
                "system",
                "Run a batch or a transaction.",
                BUNDLE,
                *named("prefer"),
                body={"required": True, "content": content(bundle)},
            ),
        },
        f"{base}/_search": {
            "post": route("postSearchSystem", "system", "Search all types by POST.", BUNDLE, body=form)
        },
        f"{base}/_history": {"get": route("historySystem", "system", "What changed.", BUNDLE, *HISTORY)},
    }


_ENTRY: Tree = {
    "type": "object",
    "required": ["request"],
    "properties": {
        "fullUrl": PRIMITIVES["uuid"],
        "resource": {"type": "object", "required": ["resourceType"]},
        "request": {
            "type": "object",
            "required": ["method", "url"],
            "properties": {
                "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]},
                "url": {
                    "type": "string",
                    "pattern": "^[A-Z][A-Za-z]{3,30}(/[A-Za-z0-9.-]{1,64})?(\\?[a-z_=&A-Z0-9]{1,40})?$",
                },
                "ifMatch": {"type": "string"},
                "ifNoneMatch": {"type": "string"},
                "ifNoneExist": {"type": "string"},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


def add_fhir(schema: Tree, fhir: Tree) -> Tree:
    """A document of other routes with those of FHIR added."""
    components = schema.get("components", {})
    both = {kind: {**components.get(kind, {}), **parts} for kind, parts in fhir["components"].items()}
    return {**schema, "paths": {**schema["paths"], **fhir["paths"]}, "components": {**components, **both}}
