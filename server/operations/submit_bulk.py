"""`Claim/$submit-bulk`: many claims at once, through edits and prices, in jobs that can be followed.

The claims are the NDJSON body, or stand in files; the answer is that of an export: 202, a status URL, files.
"""

from __future__ import annotations

import msgspec

from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs import later
from server.jobs.claiming.bulk_asked import MEASURE, read_bulk
from server.jobs.engine import Jobs
from server.jobs.importing.asked import is_upload
from server.jobs.importing.inputs import keep
from server.jobs.importing.lines import cut
from server.jobs.outside import Wall
from server.operations.later import accepted
from server.operations.registry import Operation
from server.store import Tx

NEEDS = (("Claim", "rs"), ("ClaimResponse", "cu"), ("Task", "cu"))
"""What the answers may move, as the server: the Tasks of any stored claims that they name."""

AT_ONCE = 4
"""Kick-offs that may wait or run."""


class SubmitBulk:
    """Checks a kick-off, keeps the claims that it brings and queues its job."""

    def __init__(self, fhir: Fhir, jobs: Jobs) -> None:
        self._fhir = fhir
        self._jobs = jobs

    async def __call__(self, request: Request) -> Response:
        """202 with the status URL; FhirError for files that may not be fetched."""
        from server.jobs.claiming.bulk import KIND

        settings = self._fhir.settings
        read_bulk(request, Wall(settings.inner_hosts))
        upload = await self._fhir.store.run(self._cut, request) if is_upload(request) else []
        kept = msgspec.structs.replace(request, body=b"") if upload else request

        def accept(tx: Tx) -> str:
            job = later.accept(tx, self._jobs, KIND, kept, settings, AT_ONCE)
            for at, lines in enumerate(upload):
                keep(tx, job, 0, at, lines)
            return job

        return accepted(request, await self._fhir.store.write(accept))

    def _cut(self, request: Request) -> list[list[bytes]]:
        return list(cut([request.body], self._fhir.settings.max_body_bytes, MEASURE))


def operations(fhir: Fhir, jobs: Jobs) -> list[Operation]:
    """`$submit-bulk` on Claim."""
    definition = f"{BASE}/OperationDefinition/Claim-submit-bulk"
    types = frozenset({"Claim"})
    handler = SubmitBulk(fhir, jobs)
    return [
        Operation(
            "submit-bulk",
            frozenset({"type"}),
            handler,
            types,
            definition=definition,
            raw=True,
            defers=True,
            needs=NEEDS,
        )
    ]
