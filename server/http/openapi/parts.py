"""The parts that many routes share: parameters, responses, bodies and links (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from typing import Any

from fhir_profiles.systems import EXAMPLE
from server.http.openapi.primitives import PRIMITIVES, SEARCHED

Tree = dict[str, Any]

JSON = "application/fhir+json"
XML = "application/fhir+xml"
FORM = "application/x-www-form-urlencoded"
JSON_PATCH = "application/json-patch+json"


def parameter(name: str, where: str, text: str, schema: Tree, *, required: bool = False) -> Tree:
    """A parameter; what is in the path is always required."""
    return {
        "name": name,
        "in": where,
        "description": text,
        "schema": schema,
        **({"required": True} if required or where == "path" else {}),
    }


def content(schema: Tree) -> Tree:
    """FHIR in its two formats; the schema is that of JSON, XML holds the same."""
    return {JSON: {"schema": schema}}


def typed(name: str) -> Tree:
    """Any resource of a type."""
    return {"allOf": [ref("schemas", "AnyResource"), {"properties": {"resourceType": {"const": name}}}]}


def ref(kind: str, name: str) -> Tree:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def response(status: str) -> Tree:
    """A reference to a shared response."""
    return {status: ref("responses", f"r{status}")}


_VERSION_TAG = {"type": "string", "pattern": '^W/"[0-9]{1,9}"$', "examples": ['W/"1"']}
_WORD = {"type": "string", "minLength": 1}

PARAMETERS: Tree = {
    "id": parameter("id", "path", "The logical id.", PRIMITIVES["id"]),
    "vid": parameter("vid", "path", "The version id.", {"type": "string", "pattern": "^[0-9]{1,9}$"}),
    "ifMatch": parameter("If-Match", "header", "The version that is changed.", _VERSION_TAG),
    "ifNoneMatch": parameter("If-None-Match", "header", "The version that the client has.", _VERSION_TAG),
    "ifNoneExist": parameter(
        "If-None-Exist",
        "header",
        "A search; create only when it finds nothing.",
        {"type": "string", "pattern": "^identifier=[a-z0-9:/.|]{1,60}$", "examples": [f"identifier={EXAMPLE}|1"]},
    ),
    "prefer": parameter(
        "Prefer",
        "header",
        "What to answer, and how to treat what is not known.",
        {
            "enum": [
                *("return=minimal", "return=representation", "return=OperationOutcome"),
                *("handling=strict", "handling=lenient"),
            ]
        },
    ),
    "_format": parameter("_format", "query", "The format of the answer.", {"enum": ["json", "xml"]}),
    "_pretty": parameter("_pretty", "query", "Whether to indent the answer.", {"type": "boolean"}),
    "_summary": parameter(
        "_summary",
        "query",
        "A part of each resource, or only their number.",
        {"enum": ["true", "text", "data", "count", "false"]},
    ),
    "_elements": parameter(
        "_elements", "query", "The elements to answer.", {"type": "string", "examples": ["id,status"]}
    ),
    "_count": parameter("_count", "query", "Results on a page.", {"type": "integer", "minimum": 0, "maximum": 1000}),
    "_sort": parameter("_sort", "query", "Parameters to sort by; `-` turns the order.", _WORD),
    "_include": parameter("_include", "query", "References of the results to add.", _WORD),
    "_revinclude": parameter("_revinclude", "query", "Resources that refer to the results.", _WORD),
    "_total": parameter("_total", "query", "How exactly to count.", {"enum": ["none", "estimate", "accurate"]}),
    "_since": parameter("_since", "query", "Only what changed since.", PRIMITIVES["instant"]),
    "_at": parameter("_at", "query", "What was current then.", PRIMITIVES["dateTime"]),
    "_type": parameter("_type", "query", "Only these types.", {"type": "string", "examples": ["Patient,Observation"]}),
    "_filter": parameter("_filter", "query", "A filter expression.", _WORD),
    "_has": parameter("_has", "query", "Results that others refer to.", _WORD),
    "_list": parameter("_list", "query", "Results that a List names.", PRIMITIVES["id"]),
}

SEARCH_RESULT = ("_count", "_sort", "_include", "_revinclude", "_total", "_summary", "_elements", "_filter", "_list")
FORMAT = ("_format", "_pretty")

_OUTCOME = content(ref("schemas", "OperationOutcome"))

RESPONSES: Tree = {
    "r200": {"description": "Done.", "content": content(ref("schemas", "AnyResource"))},
    "r202": {"description": "Accepted; Content-Location says where the answer will be."},
    "r204": {"description": "Deleted, or done without anything to say."},
    "r304": {"description": "The client has this version already."},
    "r400": {"description": "The request cannot be understood.", "content": _OUTCOME},
    "r404": {"description": "There is no such resource.", "content": _OUTCOME},
    "r410": {"description": "The resource was deleted.", "content": _OUTCOME},
    "r412": {"description": "A precondition does not hold.", "content": _OUTCOME},
    "r422": {"description": "The resource breaks the rules of FHIR.", "content": _OUTCOME},
    "r4XX": {"description": "The request is wrong; the OperationOutcome says what and where.", "content": _OUTCOME},
    "rBundle": {
        "description": "A Bundle.",
        "content": content(typed("Bundle")),
    },
}

_PARAMETER: Tree = {
    "type": "object",
    "required": ["name", "valueString"],
    "properties": {"name": {"type": "string", "minLength": 1}, "valueString": {"type": "string", "minLength": 1}},
}

SCHEMAS: Tree = {
    "AnyResource": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}, "id": {"type": "string"}},
    },
    "OperationOutcome": {
        "type": "object",
        "required": ["resourceType", "issue"],
        "properties": {"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "minItems": 1}},
    },
    "JsonPatch": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["op", "path"],
            "properties": {
                "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
                "path": {"type": "string", "pattern": "^(/[A-Za-z0-9-]{1,20}){1,5}$", "examples": ["/active"]},
                "from": {"type": "string", "pattern": "^(/[A-Za-z0-9-]{1,20}){1,5}$"},
                "value": {},
            },
            "additionalProperties": False,
        },
    },
    "Parameters": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {
            "resourceType": {"const": "Parameters"},
            "parameter": {"type": "array", "minItems": 1, "items": _PARAMETER},
        },
    },
}

LINKED = {
    "read": ("read", {"id": "$response.body#/id"}),
    "vread": ("vread", {"id": "$response.body#/id", "vid": "$response.body#/meta/versionId"}),
    "update": ("update", {"id": "$response.body#/id", "header.If-Match": "$response.header.ETag"}),
    "patch": ("patch", {"id": "$response.body#/id"}),
    "delete": ("delete", {"id": "$response.body#/id"}),
    "history": ("history", {"id": "$response.body#/id"}),
}


def links(name: str, *which: str) -> Tree:
    """Where a client can go from a resource of a type that it got; an update sends it back as it came."""
    made: Tree = {}
    for one in which:
        operation, parameters = LINKED[one]
        made[one] = {"operationId": f"{operation}{name}", "parameters": dict(parameters)}
        if one == "update":
            made[one]["requestBody"] = "$response.body"
    return made


def searched(kind: str) -> Tree:
    """The schema of a search parameter's value."""
    return SEARCHED.get(kind, SEARCHED["string"])
