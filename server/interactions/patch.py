"""patch: a change to what is stored, as JSON, FHIRPath or merge patch (https://hl7.org/fhir/R4/http.html#patch)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.patch import fhirpath_patch, json_patch, merge_patch
from server.access.gate import judges
from server.store import Tx, Version

from . import content, update
from .action import Write
from .conditional import find_one
from .exchange import JSON_PATCH, MERGE_PATCH, Request, Response
from .preconditions import check_match
from .read import Gone, absent
from .seen import changeable

if TYPE_CHECKING:
    from .fhir import Fhir

_PLAIN = ("application/json", "text/json")
"""What clients of a merge patch send when they name no form; FHIR's own patch has a resourceType."""

Change = Callable[[dict[str, Any]], dict[str, Any]]


def prepare(fhir: Fhir, request: Request) -> Write:
    """Read the patch; the write applies it to the version that it finds and stores what comes out."""
    change = read_change(request)
    if len(request.path) == 1:
        return Write(lambda tx: run(fhir, tx, request, change, find_target(tx, request)))
    key = (request.path[0], request.path[1])
    return Write(lambda tx: run(fhir, tx, request, change, tx.current(*key)), (key,))


def find_target(tx: Tx, request: Request) -> Version:
    """The one resource that a conditional patch is about; 404 when the query finds none."""
    found = find_one(tx, request.path[0], request.query, request)
    if found is None:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "The query finds no resource that could be patched.")
    return found


def read_change(request: Request, links: Mapping[str, str] | None = None) -> Change:
    """The patch in the body, as a function from a resource to the changed one.

    In a transaction `links` replaces full URLs of entries; those in Parameters have been replaced with all others.
    """
    if not request.body:
        text = "The request has no body; send a JSON Patch, or a Parameters resource with operations."
        raise FhirError.of(Category.INCORRECT, "structure", text)
    form = request.content_type.partition(";")[0].strip().lower()
    if form == JSON_PATCH:
        operations = read_operations(request.body)
        if links:
            operations = _relinked(operations, links)
        return lambda resource: json_patch(resource, operations)
    parameters = json.decode(request.body)
    if form == MERGE_PATCH or (form in _PLAIN and "resourceType" not in parameters):
        return lambda resource: merge_patch(resource, parameters)
    content.expect_type(parameters, "Parameters")
    content.validate(parameters)
    return lambda resource: fhirpath_patch(resource, parameters)


def read_operations(body: bytes) -> list[dict[str, Any]]:
    """The operations of a JSON Patch, with decimals as they are written."""
    wrapped = json.decode(b'{"patch":%b}' % body)
    if wrapped.keys() != {"patch"} or not isinstance(wrapped["patch"], list):
        raise FhirError.of(Category.INCORRECT, "structure", "A JSON Patch is an array of operations.")
    operations: list[dict[str, Any]] = wrapped["patch"]
    return operations


def _relinked(value: Any, links: Mapping[str, str]) -> Any:
    """The value with every string that is a link replaced by where it leads."""
    if isinstance(value, dict):
        return {name: _relinked(item, links) for name, item in value.items()}
    if isinstance(value, list):
        return [_relinked(item, links) for item in value]
    return links.get(value, value) if isinstance(value, str) else value


def run(fhir: Fhir, tx: Tx, request: Request, change: Change, current: Version | None) -> Response:
    """Apply the patch in the transaction."""
    current = changeable(tx, request, current, "u")
    if current is None:
        raise absent()
    check_match(request, current)
    if current.deleted:
        raise Gone(current)
    patched = change(json.decode(current.body))
    check_identity(current, patched)
    fhir.conformance.admit(patched)
    made = content.content_of(patched, current.id, request.base_url)
    # A patch may say little of what it changes: who may not read the resource is not shown it by writing.
    prefer = request.prefer if judges(tx, request.caller, current, "r", request.base_url) else "return=minimal"
    at = msgspec.structs.replace(request, path=(current.type, current.id), prefer=prefer)
    return update.store(fhir, tx, at, made, current)


def check_identity(current: Version, patched: dict[str, Any]) -> None:
    """Refuse a patch that makes another resource of it."""
    if patched.get("resourceType") != current.type or patched.get("id") != current.id:
        text = "A patch cannot change the type or the id of a resource."
        raise FhirError.of(Category.INCORRECT, "business-rule", text, f"{current.type}.id")
