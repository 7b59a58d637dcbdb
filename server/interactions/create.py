"""create: a new resource under an id of ours (https://hl7.org/fhir/R4/http.html#create)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.audit.interaction import wrote
from server.store import Tx, Version
from server.store.keys import new_id
from server.store.version import CREATE

from . import content
from .action import Write, answer
from .conditional import find_one
from .content import Content
from .exchange import Request, Response
from .seen import admit

if TYPE_CHECKING:
    from .fhir import Fhir


def prepare(fhir: Fhir, request: Request) -> Write:
    """Check the body; the write stores it as version 1, unless `If-None-Exist` finds it there already."""
    resource_type = request.path[0]
    resource = content.parse(request.body, resource_type)
    fhir.conformance.admit(resource, request.body)
    made = content.content_of(resource, new_id(), request.base_url)
    return Write(lambda tx: run(fhir, tx, request, made))


def run(fhir: Fhir, tx: Tx, request: Request, made: Content) -> Response:
    """Store the resource in the transaction, unless the condition finds one."""
    criteria = request.if_none_exist
    if criteria is not None and (there := find_one(tx, made.type, criteria, request)):
        return found(tx, request, there)
    return store(fhir, tx, request, made)


def found(tx: Tx, request: Request, there: Version) -> Response:
    """The answer of a conditional create that finds its resource."""
    tx.audit(wrote(request, "create", there, 200))
    return answer(request, 200, there, "The resource exists already.")


def store(fhir: Fhir, tx: Tx, request: Request, made: Content) -> Response:
    """Store the resource as one that is new."""
    version = Version(tx.new_rid(), made.type, made.id, 1, tx.now, CREATE, made.patient, made.body(1, tx.now))
    admit(tx, request, version, made.rows, "c")
    fhir.store_version(tx, request, version, None, made, "create", 201)
    return answer(request, 201, version, "Created.", lambda: fhir.conformance.hints(made.resource))
