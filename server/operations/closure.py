"""`$closure`: closure tables that stay, each as a Basic resource (https://hl7.org/fhir/R4/conceptmap-operation-closure.html)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASIC_KIND, CLOSURE_NAME, CLOSURE_TABLE, FHIR
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.registry import Level, Operation
from server.operations.terminology import read_call
from server.store import Tx
from terminology.operations.closure import Asked, Table, answered, asked

Json = dict[str, Any]
Handle = Callable[[Request], Response]


class Closure:
    """The operation over one store."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """200 with the ConceptMap of what is new; FhirError for a table that was not begun, or a concept not known."""
        want: Asked = await self._fhir.store.run(self._asked, request)
        if want.since is not None:
            return await self._fhir.store.run(self._tell, want, request)
        return await self._fhir.store.write(lambda tx: self._add(tx, want, request))

    def _asked(self, request: Request) -> Asked:
        want = asked(read_call(request), self._fhir.conformance.codes_library)
        for concept in want.concepts:  # before the transaction begins, which is not kept waiting for it
            want.shelf.books(concept["system"])
        return want

    def _tell(self, want: Asked, request: Request) -> Response:
        return _told(answered(want, _stored(self._fhir.handle_sync, want, request))[1])

    def _add(self, tx: Tx, want: Asked, request: Request) -> Response:
        """Read, add and write within one transaction, so that two clients cannot undo each other."""

        def handle(one: Request) -> Response:
            return self._fhir.handle_in(tx, one)

        before = Table(want.name) if want.begins else _stored(handle, want, request)
        after, concept_map = answered(want, before)
        if want.begins or after is not before:
            handle(_request("PUT", want.name, request, json.encode(_resource(after))))
        return _told(concept_map)


def _stored(handle: Handle, want: Asked, request: Request) -> Table:
    try:
        found = json.decode(handle(_request("GET", want.name, request)).body)
    except FhirError as error:
        if error.category is not Category.NOT_FOUND:
            raise
        text = "There is no closure table of this name: begin it by a call with the name alone."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text, "name") from None
    return Table.of(want.name, next(e["valueString"] for e in found["extension"] if e["url"] == CLOSURE_TABLE))


def _request(method: str, name: str, of: Request, body: bytes = b"") -> Request:
    return Request(method=method, path=("Basic", _id(name)), body=body, base_url=of.base_url, caller=of.caller)


def _id(name: str) -> str:
    return f"closure-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _resource(table: Table) -> Json:
    return {
        "resourceType": "Basic",
        "id": _id(table.name),
        "extension": [{"url": CLOSURE_TABLE, "valueString": table.text()}],
        "identifier": [{"system": CLOSURE_NAME, "value": table.name}],
        "code": {"coding": [{"system": BASIC_KIND, "code": "closure-table"}]},
    }


def _told(concept_map: Json) -> Response:
    return Response(status=200, body=json.encode(concept_map))


def operations(fhir: Fhir) -> list[Operation]:
    """`$closure` for the server, where the specification has it, and on ConceptMap."""
    definition = f"{FHIR}/OperationDefinition/ConceptMap-closure"
    system: frozenset[Level] = frozenset({"system"})
    type_: frozenset[Level] = frozenset({"type"})
    handler = Closure(fhir)
    return [
        Operation("closure", system, handler, definition=definition, for_all=True),
        Operation("closure", type_, handler, frozenset({"ConceptMap"}), definition=definition, for_all=True),
    ]
