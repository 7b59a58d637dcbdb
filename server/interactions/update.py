"""update: a new version under a given id, or the first one (https://hl7.org/fhir/R4/http.html#update)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir_profiles.errors import Category, FhirError
from server.access.caller import server_as
from server.audit.interaction import wrote
from server.store import Tx, Version
from server.store.keys import new_id
from server.store.version import RESTORE, UPDATE

from . import content
from .action import Write, answer
from .conditional import find_one
from .content import Content
from .exchange import Request, Response
from .preconditions import check_match
from .read import absent
from .seen import admit, changeable

if TYPE_CHECKING:
    from .fhir import Fhir


def prepare(fhir: Fhir, request: Request) -> Write:
    """Check the body and its id; the write stores it unless it is what is stored already."""
    resource_type, resource_id = request.path
    resource = content.parse(request.body, resource_type)
    check_id(resource_id)
    if resource.get("id") != resource_id:
        text = "The resource must have an id that is the same as in the URL."
        raise FhirError.of(Category.INCORRECT, "value", text, f"{resource_type}.id")
    fhir.conformance.admit(resource, request.body)
    made = content.content_of(resource, resource_id, request.base_url)
    return Write(lambda tx: run(fhir, tx, request, made), ((resource_type, resource_id),))


def prepare_conditional(fhir: Fhir, request: Request) -> Write:
    """The same for the one resource that the query finds, or for a new one when it finds none."""
    resource_type = request.path[0]
    resource = content.parse(request.body, resource_type)
    fhir.conformance.admit(resource, request.body)

    def write(tx: Tx) -> Response:
        target = find_target(tx, request, resource)
        return run(fhir, tx, request, content.content_of(resource, target, request.base_url))

    return Write(write)


def find_target(tx: Tx, request: Request, resource: dict[str, Any]) -> str:
    """The id that a conditional update is about: what the query finds, else the resource's own, else a new one."""
    resource_type = request.path[0]
    found = find_one(tx, resource_type, request.query, request)
    given: str | None = resource.get("id")
    if found is not None:
        if given not in (None, found.id):
            text = "The id in the body is not the id of the resource that the query finds."
            raise FhirError.of(Category.INCORRECT, "value", text, f"{resource_type}.id")
        return found.id
    if given is None:
        return new_id()
    there = tx.current(resource_type, given)
    if there is not None and not there.deleted:
        text = "The query finds nothing, and the id in the body is that of another resource. Leave the id out."
        raise FhirError.of(Category.CONFLICT, "duplicate", text, f"{resource_type}.id")
    return given


def check_id(resource_id: str) -> None:
    """Refuse an id that FHIR does not allow."""
    if not content.ID.fullmatch(resource_id):
        text = "An id has 1 to 64 letters, digits, hyphens and dots."
        raise FhirError.of(Category.INCORRECT, "value", text)


def put(fhir: Fhir, tx: Tx, resource: dict[str, Any], who: str, *, new: bool = False) -> Response:
    """Store a resource of our own making, which is not checked again; with `new` there is none under its id yet."""
    made = content.content_of(resource, resource["id"])
    request = Request(method="PUT", path=(made.type, made.id), prefer="return=minimal", caller=server_as(who))
    return store(fhir, tx, request, made, None if new else tx.current(made.type, made.id))


def run(fhir: Fhir, tx: Tx, request: Request, made: Content) -> Response:
    """Store the resource in the transaction."""
    return store(fhir, tx, request, made, tx.current(made.type, made.id))


def store(fhir: Fhir, tx: Tx, request: Request, made: Content, current: Version | None) -> Response:
    """Store the resource in place of the current version."""
    if current is not None and changeable(tx, request, current, "u") is None:
        check_match(request, None)  # as for an id that never was
        raise absent()
    check_match(request, current)
    if current is None:
        version = Version(tx.new_rid(), made.type, made.id, 1, tx.now, UPDATE, made.patient, made.body(1, tx.now))
    elif made.is_stored(current):
        admit(tx, request, current, made.rows, "u")
        tx.audit(wrote(request, "update", current, 200))
        return answer(request, 200, current, "The resource is the same as the stored one; there is no new version.")
    else:
        number, updated = current.version + 1, max(tx.now, current.updated + 1000)
        change, body = RESTORE if current.deleted else UPDATE, made.body(number, updated)
        version = Version(current.rid, made.type, made.id, number, updated, change, made.patient, body)
    admit(tx, request, version, made.rows, "u")
    status = 201 if current is None or current.deleted else 200
    fhir.store_version(tx, request, version, current, made, "update", status)
    return answer(request, status, version, "Stored.", lambda: fhir.conformance.hints(made.resource))
