"""`Claim/$reprocess`: answer stored claims by the rules and tables of today (docs/operations/reprocess.md)."""

from __future__ import annotations

from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.later import Deferred
from server.operations.registry import Operation

AT_ONCE = 2
"""Such jobs that may wait or run."""


class Reprocess:
    """Checks a kick-off and queues its job."""

    def __init__(self, fhir: Fhir, deferred: Deferred) -> None:
        self._fhir = fhir
        self._deferred = deferred

    async def __call__(self, request: Request) -> Response:
        """202 with the status URL; FhirError for what is not understood."""
        from server.jobs.claiming.reprocess import KIND

        await self._fhir.store.run(self._check, request)
        return await self._deferred.accept(KIND, request, AT_ONCE)

    def _check(self, request: Request) -> None:
        from server.jobs.claiming.reprocess_asked import read_asked
        from server.jobs.exporting.pages import Pages

        Pages(self._fhir, request).check("Claim", read_asked(request).pairs)


def operations(fhir: Fhir, deferred: Deferred) -> list[Operation]:
    """`$reprocess` on Claim."""
    definition = f"{BASE}/OperationDefinition/Claim-reprocess"
    handler = Reprocess(fhir, deferred)
    return [
        Operation(
            "reprocess",
            frozenset({"type"}),
            handler,
            frozenset({"Claim"}),
            definition=definition,
            defers=True,
            for_all=True,
        )
    ]
