"""`$graphql`: read and search by GraphQL, for the whole server or about one resource.

GET with `query`, or POST with application/json or application/graphql. https://hl7.org/fhir/R4/graphql.html
"""

from __future__ import annotations

from fhir_profiles import json
from fhir_profiles.systems import FHIR
from server.graphql.asked import read_asked
from server.graphql.execute import run
from server.graphql.introspect import introspect
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.registry import Operation

_ANSWER = "application/json; charset=utf-8"


class GraphQL:
    """Runs queries in a thread; mutations are not served."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """`data` and `errors`; an OperationOutcome when the request as a whole cannot be run."""
        return Response(status=200, body=await self._fhir.store.run(self._run, request), content_type=_ANSWER)

    def _run(self, request: Request) -> bytes:
        asked = read_asked(request)
        path = request.path[:2] if len(request.path) == 3 else ()
        told = introspect(asked)
        if told is not None:
            return json.encode(told)
        return json.encode(run(asked, lambda one: self._fhir.handle_sync(one).body, request, path))


def operations(fhir: Fhir) -> list[Operation]:
    """`$graphql` at the base and on every resource."""
    both = frozenset({"GET", "POST"})
    definition = f"{FHIR}/OperationDefinition/Resource-graphql"
    return [
        Operation(
            "graphql", frozenset({"system", "instance"}), GraphQL(fhir), None, both, definition, raw=True, for_all=True
        ),
    ]
