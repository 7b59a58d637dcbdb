"""delete: a last version that says it is gone (https://hl7.org/fhir/R4/http.html#delete)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fhir_profiles.errors import Category, FhirError
from server.audit.interaction import missed
from server.store import Tx, Version
from server.store.version import DELETE

from .action import Write, outcome
from .conditional import find_some, several
from .exchange import Request, Response
from .preconditions import check_match
from .seen import changeable

if TYPE_CHECKING:
    from .fhir import Fhir


def prepare(fhir: Fhir, request: Request) -> Write:
    """The write ends the resource; deleting what is gone changes nothing."""
    key = (request.path[0], request.path[1])
    return Write(lambda tx: run(fhir, tx, request, tx.current(*key)), (key,))


def prepare_conditional(fhir: Fhir, request: Request) -> Write:
    """The same for each resource that the query finds."""
    return Write(lambda tx: run_each(fhir, tx, request, find_targets(fhir, tx, request)))


def find_targets(fhir: Fhir, tx: Tx, request: Request) -> list[Version]:
    """The resources that a conditional delete ends; FhirError when they are more than the settings allow."""
    limit = fhir.settings.max_conditional_delete
    found = find_some(tx, request.path[0], request.query, limit + 1, request, "d")
    if len(found) > limit:
        if limit == 1:
            raise several()
        text = f"The query finds more than {limit} resources. Make it narrower, or send Prefer: respond-async."
        raise FhirError.of(Category.INCORRECT, "too-costly", text)
    return found


def run_part(fhir: Fhir, tx: Tx, request: Request, most: int) -> int:
    """End at most `most` of the resources that the query finds and say how many: for a delete in many transactions."""
    found = find_some(tx, request.path[0], request.query, most, request, "d")
    for current in found:
        end(fhir, tx, request, current)
    return len(found)


def run_each(fhir: Fhir, tx: Tx, request: Request, found: Sequence[Version]) -> Response:
    """End the resources in the transaction."""
    if len(found) < 2:
        return run(fhir, tx, request, found[0] if found else None)
    for current in found:
        if request.if_match is not None:
            check_match(request, current)
        end(fhir, tx, request, current)
    return _done(request, None, f"{len(found)} resources were deleted.")


def run(fhir: Fhir, tx: Tx, request: Request, current: Version | None) -> Response:
    """End the resource in the transaction."""
    current = changeable(tx, request, current, "d")
    check_match(request, current)
    if current is None or current.deleted:
        tx.audit(missed(request, current))
        return _done(request, current, "There was nothing to delete.")
    return _done(request, end(fhir, tx, request, current), "Deleted.")


def end(fhir: Fhir, tx: Tx, request: Request, current: Version) -> Version:
    """The version that ends a resource, stored."""
    number, updated = current.version + 1, max(tx.now, current.updated + 1000)
    version = Version(current.rid, current.type, current.id, number, updated, DELETE, current.patient, b"")
    fhir.store_version(tx, request, version, current, None, "delete", 204)
    return version


def _done(request: Request, version: Version | None, text: str) -> Response:
    etag = version.etag if version else None
    if request.preferred.returns == "OperationOutcome":
        return Response(status=200, body=outcome(text), etag=etag)
    return Response(status=204, etag=etag)
