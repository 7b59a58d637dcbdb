"""`$import`: NDJSON in, each resource under its own id, in a job that can be followed and repeated.

The body is the NDJSON itself, or names files to fetch (https://github.com/smart-on-fhir/bulk-import).
"""

from __future__ import annotations

import msgspec

from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs import later
from server.jobs.engine import Jobs
from server.jobs.importing.asked import is_upload, read_inputs
from server.jobs.importing.inputs import keep
from server.jobs.importing.lines import cut
from server.jobs.importing.run import KIND
from server.jobs.outside import Wall
from server.operations.later import accepted
from server.operations.registry import Operation
from server.store import Tx


class Import:
    """Checks a kick-off, keeps what it brings and queues its job."""

    def __init__(self, fhir: Fhir, jobs: Jobs) -> None:
        self._fhir = fhir
        self._jobs = jobs

    async def __call__(self, request: Request) -> Response:
        """202 with the status URL; FhirError for files that may not be fetched."""
        settings = self._fhir.settings
        read_inputs(request, Wall(settings.inner_hosts))
        upload = await self._fhir.store.run(self._cut, request) if is_upload(request) else []
        kept = msgspec.structs.replace(request, body=b"") if upload else request

        def accept(tx: Tx) -> str:
            job = later.accept(tx, self._jobs, KIND, kept, settings, settings.imports_at_once)
            for at, lines in enumerate(upload):
                keep(tx, job, 0, at, lines)
            return job

        return accepted(request, await self._fhir.store.write(accept))

    def _cut(self, request: Request) -> list[list[bytes]]:
        return list(cut([request.body, b"\n"], self._fhir.settings.max_body_bytes))


def operations(fhir: Fhir, jobs: Jobs) -> list[Operation]:
    """`$import`."""
    definition = f"{BASE}/OperationDefinition/import"
    return [
        Operation(
            "import",
            frozenset({"system"}),
            Import(fhir, jobs),
            definition=definition,
            raw=True,
            defers=True,
            for_services=True,
        )
    ]
