"""The FHIR routes as OpenAPI, made from the CapabilityStatement (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from typing import Any

JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"

Tree = dict[str, Any]


def describe_fhir(statement: Tree, base: str = "/fhir") -> Tree:
    """The `paths` and `components` of every interaction the CapabilityStatement declares."""
    rest = statement["rest"][0]
    paths: Tree = {f"{base}/metadata": {"get": _operation("capabilities", "system", "What this server can do.")}}
    if {i["code"] for i in rest.get("interaction", [])} & {"batch", "transaction"}:
        bundle = _operation("bundle", "system", "Run a batch or a transaction.", body=_body(["Bundle"]))
        paths[base] = {"post": bundle}
    for resource in rest["resource"]:
        paths.update(_describe_type(resource, base))
    return {"paths": paths, "components": {"schemas": {"Resource": _RESOURCE, "OperationOutcome": _OUTCOME}}}


def _describe_type(resource: Tree, base: str) -> Tree:
    """The routes of one resource type."""
    name = resource["type"]
    known = {i["code"] for i in resource["interaction"]}
    search = [_parameter(p["name"], "query", p.get("documentation", "")) for p in resource.get("searchParam", [])]
    search += [_parameter(code, "query", text) for code, text in _RESULT_PARAMETERS.items()]
    of_type: Tree = {}
    of_instance: Tree = {}
    paths: Tree = {f"{base}/{name}": of_type, f"{base}/{name}/{{id}}": of_instance}
    if "search-type" in known:
        of_type["get"] = _operation(f"search{name}", name, f"Search {name}.", search)
        body = {"required": False, "content": {FORM: {"schema": {"type": "object"}}}}
        paths[f"{base}/{name}/_search"] = {
            "post": _operation(f"post{name}Search", name, f"Search {name} by POST.", body=body)
        }
    if "create" in known:
        of_type["post"] = _operation(f"create{name}", name, f"Create a {name}.", [_IF_NONE_EXIST], _body([name]))
    if "read" in known:
        of_instance["get"] = _operation(f"read{name}", name, f"Read a {name}.", [_ID])
    if "update" in known:
        of_instance["put"] = _operation(f"update{name}", name, f"Update a {name}.", [_ID, _IF_MATCH], _body([name]))
    if "delete" in known:
        of_instance["delete"] = _operation(f"delete{name}", name, f"Delete a {name}.", [_ID])
    history = f"{base}/{name}/{{id}}/_history"
    if "history-instance" in known:
        paths[history] = {"get": _operation(f"history{name}", name, f"The versions of a {name}.", [_ID])}
    if "vread" in known:
        paths[f"{history}/{{vid}}"] = {"get": _operation(f"vread{name}", name, f"A version of a {name}.", [_ID, _VID])}
    return {path: item for path, item in paths.items() if item}


def _operation(
    identifier: str, tag: str, summary: str, parameters: list[Tree] | None = None, body: Tree | None = None
) -> Tree:
    operation: Tree = {"operationId": identifier, "tags": [tag], "summary": summary, "responses": _RESPONSES}
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = body
    return operation


def _body(types: list[str]) -> Tree:
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Resource"},
            {"type": "object", "properties": {"resourceType": {"enum": types}}},
        ]
    }
    return {"required": True, "content": {JSON: {"schema": schema}}}


def _parameter(name: str, where: str, text: str, *, required: bool = False) -> Tree:
    return {"name": name, "in": where, "description": text, "required": required, "schema": {"type": "string"}}


_RESULT_PARAMETERS = {
    "_count": "Results on a page.",
    "_sort": "Parameters to sort by; `-` in front turns the order.",
    "_include": "References of the results to add.",
    "_revinclude": "Resources that refer to the results to add.",
    "_total": "`none`, `estimate` or `accurate`.",
}
_ID = _parameter("id", "path", "Logical id.", required=True)
_VID = _parameter("vid", "path", "Version id.", required=True)
_IF_MATCH = _parameter("If-Match", "header", 'The version that is replaced, `W/"1"`.')
_IF_NONE_EXIST = _parameter("If-None-Exist", "header", "A search; create only when it finds nothing.")
_RESOURCE: Tree = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string"}, "id": {"type": "string"}},
}
_OUTCOME: Tree = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "minItems": 1}},
}
_RESPONSES: Tree = {
    "2XX": {"description": "Done.", "content": {JSON: {"schema": {"$ref": "#/components/schemas/Resource"}}}},
    "4XX": {
        "description": "The request is wrong; the OperationOutcome says what and where.",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}}},
    },
}
