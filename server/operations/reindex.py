"""`$reindex`: make the index rows of the store, or of a type, again, as a job (docs/operations/reindex.md)."""

from __future__ import annotations

from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.jobs.reindexing import KIND
from server.operations.later import Deferred
from server.operations.parameters import read_arguments
from server.operations.registry import Operation

AT_ONCE = 2


def operations(deferred: Deferred) -> list[Operation]:
    """`$reindex` for the system and for a type; 202 with the status URL."""

    async def reindex(request: Request) -> Response:
        read_arguments(request).only()
        return await deferred.accept(KIND, request, AT_ONCE)

    definition = f"{BASE}/OperationDefinition/reindex"
    return [Operation("reindex", frozenset({"system", "type"}), reindex, definition=definition, defers=True)]
