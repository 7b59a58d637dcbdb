"""`Prefer: respond-async`: 202 now, the answer at a status URL later (https://hl7.org/fhir/R4/async.html).

The answer is a Bundle of type batch-response, as R5 has it (https://hl7.org/fhir/R5/async-bundle.html). `$async-status`
is the status URL of exports and imports too.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import msgspec

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.interactions.exchange import FHIR_JSON, Request, Response
from server.interactions.fhir import Fhir
from server.jobs import later
from server.jobs.answering import KIND
from server.jobs.engine import Jobs, State
from server.jobs.kinds import Kind
from server.jobs.later import Later
from server.operations.registry import Operation

STATUS = "async-status"
_POLL_SECONDS = 2


class Deferred:
    """Takes requests in and tells what became of them."""

    def __init__(self, fhir: Fhir, jobs: Jobs) -> None:
        self._fhir = fhir
        self._jobs = jobs

    async def __call__(self, request: Request) -> Response:
        """202 for any request; 429 when this client has enough of them."""
        return await self.accept(KIND, request)

    async def accept(self, kind: Kind, request: Request, at_once: int | None = None) -> Response:
        """202 for a request whose job is of `kind`, with the URL that tells of it."""
        settings = self._fhir.settings
        job = await self._fhir.store.write(lambda tx: later.accept(tx, self._jobs, kind, request, settings, at_once))
        return accepted(request, job)

    async def status(self, request: Request) -> Response:
        """GET: 202 with the progress, or the result. DELETE: cancel, and forget what there is."""
        job = dict(request.query).get("job", "")
        if request.method == "DELETE":
            await self._fhir.store.write(lambda tx: later.remove(tx, self._jobs, _own(later.find(tx, job), request).id))
            return Response(status=202)
        return await self._fhir.store.run(self._status, request, job)

    def _status(self, request: Request, job: str) -> Response:
        store = self._fhir.store
        found = _own(later.find(store, job), request)
        if found.state == later.ACCEPTED:
            headers = (("X-Progress", self._progress(job)), ("Retry-After", str(_POLL_SECONDS)))
            return Response(status=202, headers=headers)
        expires = format_datetime(datetime.fromtimestamp(found.expires / 1000, UTC), usegmt=True)
        body = found.result or b""
        if found.state == later.FAILED:
            told = msgspec.json.decode(body)
            return Response(
                status=told["status"], body=msgspec.json.encode(told["outcome"]), headers=(("Expires", expires),)
            )
        content_type = FHIR_JSON if body.startswith(b'{"resourceType"') else "application/json"
        return Response(status=200, body=body, content_type=content_type, headers=(("Expires", expires),))

    def _progress(self, job: str) -> str:
        progress = self._jobs.progress(self._fhir.store, job)
        if progress is None:
            state = self._jobs.status(self._fhir.store, job)
            return "waiting" if state is State.QUEUED else "begun"
        if progress.of:
            return f"{progress.done} of {progress.of} ({100 * progress.done // progress.of} %)"
        return f"{progress.done} done"


def accepted(request: Request, job: str) -> Response:
    """202 with the status URL of a job."""
    url = f"{request.base_url}/${STATUS}?job={job}"
    return Response(status=202, headers=(("Content-Location", url),))


def _own(found: Later | None, request: Request) -> Later:
    """The request, if it is this client's; others are told that there is none."""
    if found is None or not found.belongs_to(request.caller):
        text = "There is no such request: it was removed, its result has expired, or there never was one."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text)
    return found


def operations(deferred: Deferred) -> list[Operation]:
    """`$async-status`."""
    definition = f"{BASE}/OperationDefinition/async-status"
    methods = frozenset({"GET", "DELETE"})
    return [
        Operation(
            STATUS,
            frozenset({"system"}),
            deferred.status,
            methods=methods,
            definition=definition,
            defers=True,
            for_all=True,
        )
    ]
