"""delete: a last version that says it is gone (https://hl7.org/fhir/R4/http.html#delete)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.store import Tx, Version
from server.store.version import DELETE

from .action import Write, outcome
from .conditional import find_one
from .exchange import Request, Response
from .preconditions import check_match

if TYPE_CHECKING:
    from .fhir import Fhir


def prepare(fhir: Fhir, request: Request) -> Write:
    """The write ends the resource; deleting what is gone changes nothing."""
    key = (request.path[0], request.path[1])
    return Write(lambda tx: run(fhir, tx, request, tx.current(*key)), (key,))


def prepare_conditional(fhir: Fhir, request: Request) -> Write:
    """The same for the one resource that the query finds."""
    return Write(lambda tx: run(fhir, tx, request, find_one(tx, request.path[0], request.query, request.base_url)))


def run(fhir: Fhir, tx: Tx, request: Request, current: Version | None) -> Response:
    """End the resource in the transaction."""
    if request.if_match is not None:
        check_match(request, current)
    if current is None or current.deleted:
        return _done(request, current, "There was nothing to delete.")
    number, updated = current.version + 1, max(tx.now, current.updated + 1000)
    version = Version(current.rid, current.type, current.id, number, updated, DELETE, current.patient, b"")
    fhir.store_version(tx, request, version, current, None, "delete", 204)
    return _done(request, version, "Deleted.")


def _done(request: Request, version: Version | None, text: str) -> Response:
    etag = version.etag if version else None
    if request.preferred.returns == "OperationOutcome":
        return Response(status=200, body=outcome(text), etag=etag)
    return Response(status=204, etag=etag)
