"""How a route is told (https://spec.openapis.org/oas/v3.1.0#operation-object)."""

from __future__ import annotations

from server.http.openapi.parts import FORMAT, Tree, parameter, ref, response, searched


def search_parameter(told: Tree) -> Tree:
    """A search parameter as the CapabilityStatement tells it."""
    return parameter(told["name"], "query", str(told.get("documentation", told["type"])), searched(told["type"]))


def route(identifier: str, tag: str, summary: str, statuses: Tree, *parameters: Tree, body: Tree | None = None) -> Tree:
    """One operation in the sense of OpenAPI."""
    made: Tree = {"operationId": identifier, "tags": [tag], "summary": summary}
    if parameters:
        made["parameters"] = list(parameters)
    if body:
        made["requestBody"] = body
    return {**made, "responses": statuses}


def named(*names: str) -> tuple[Tree, ...]:
    """References to shared parameters."""
    return tuple(ref("parameters", name) for name in names)


BUNDLE = {"200": ref("responses", "rBundle"), **response("4XX")}
HISTORY = named("_since", "_at", "_count", *FORMAT)
