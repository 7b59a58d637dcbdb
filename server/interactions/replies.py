"""The Bundle that answers a batch or a transaction (https://hl7.org/fhir/R4/http.html#transaction-response)."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.http.errors import outcome_of, status_of

from .entries import READ, Entry
from .exchange import Request, Response


def bundle_of(kind: str, answered: Iterable[tuple[Entry | None, Response | FhirError]], request: Request) -> Response:
    """An answer for each entry, in their order; resources of writes come only when the client asked for them."""
    wants = request.preferred.returns
    parts = [
        _refused(result) if isinstance(result, FhirError) else _done(entry, result, wants) for entry, result in answered
    ]
    head = b'{"resourceType":"Bundle","type":"%b"' % kind.encode()
    return Response(status=200, body=head + (b',"entry":[%b]}' % b",".join(parts) if parts else b"}"))


def _refused(error: FhirError) -> bytes:
    told = {"status": _status(status_of(error)), "outcome": outcome_of(error)}
    return b'{"response":%b}' % json.encode(told)


def _done(entry: Entry | None, result: Response, wants: str | None) -> bytes:
    told: dict[str, Any] = {"status": _status(result.status)}
    if result.location:
        told["location"] = result.location
    if result.etag:
        told["etag"] = result.etag
    writes = entry is not None and entry.rank != READ
    reads = entry is not None and not writes and entry.request.method != "HEAD"
    if wants == "OperationOutcome" and writes and result.body:
        told["outcome"] = json.decode(result.body)
    front = b""
    if result.body and (reads or (writes and wants == "representation")):
        front = b'"resource":%b,' % result.body
        if result.location:
            front = b'"fullUrl":%b,%b' % (json.encode(result.location.partition("/_history/")[0]), front)
    return b'{%b"response":%b}' % (front, json.encode(told))


def _status(status: int) -> str:
    return _STATUSES.get(status) or str(status)


_STATUSES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
