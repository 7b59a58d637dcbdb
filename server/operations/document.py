"""`Composition/[id]/$document`: a Composition with everything it refers to, as one document Bundle.

https://hl7.org/fhir/R4/composition-operation-document.html
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.references import references
from fhir_profiles.systems import FHIR, URI
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import read_arguments, wrong
from server.operations.registry import Level, Operation

_MOST = 1000
_DEPTH = 4
_LOCAL = re.compile(r"([A-Z]\w+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?(?:#.*)?")


class DocumentOperation:
    """Gathers the document; with `persist=true` it is stored as a Bundle too."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """The Bundle, the Composition first; FhirError for a reference that finds nothing here."""
        arguments = read_arguments(request)
        arguments.only("persist", "id")
        name = request.path[1] if len(request.path) == 3 else arguments.text("id")
        if not name:
            raise wrong("Name the Composition, by its URL or by the parameter id.", "id")
        body = json.encode(await self._fhir.store.run(self._gather, request, name.removeprefix("Composition/")))
        if not arguments.flag("persist"):
            return Response(status=200, body=body)
        return await self._fhir.handle(
            Request(method="POST", path=("Bundle",), body=body, base_url=request.base_url, caller=request.caller)
        )

    def _gather(self, request: Request, name: str) -> dict[str, Any]:
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        fresh: dict[tuple[str, ...], str] = {("Composition", name): "Composition"}
        for _ in range(_DEPTH):
            after: dict[tuple[str, ...], str] = {}
            for key, where in fresh.items():
                found[key] = resource = self._read(request, key, where)
                for reference in references(resource):
                    if (other := _local(reference["reference"], request.base_url)) and other not in found:
                        after.setdefault(other, where)
            fresh = {key: where for key, where in after.items() if key not in found}
            if len(found) + len(fresh) > _MOST:
                text = f"The document would hold more than {_MOST} resources. Search for its parts instead."
                raise FhirError.of(Category.INCORRECT, "too-costly", text)
        entries = [
            {"fullUrl": f"{request.base_url}/{'/'.join(key[:2])}", "resource": one} for key, one in found.items()
        ]
        return {
            "resourceType": "Bundle",
            "identifier": {"system": URI, "value": f"urn:uuid:{uuid.uuid4()}"},
            "type": "document",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "entry": entries,
        }

    def _read(self, request: Request, key: tuple[str, ...], where: str) -> dict[str, Any]:
        path = key if len(key) == 2 else (*key[:2], "_history", key[2])
        try:
            answer = self._fhir.handle_sync(
                Request(method="GET", path=path, base_url=request.base_url, caller=request.caller)
            )
        except FhirError as error:
            if where == "Composition" and key[0] == "Composition":
                raise
            text = "Something that the document refers to is not on this server. Store it, or take the reference out."
            raise FhirError.of(Category.INCORRECT, "not-found", text, where) from error
        return json.decode(answer.body)


def _local(reference: str, base_url: str) -> tuple[str, ...] | None:
    """Type, id and maybe version of what stands on this server."""
    found = _LOCAL.fullmatch(reference.removeprefix(f"{base_url}/"))
    return tuple(part for part in found.groups() if part) if found else None


def operations(fhir: Fhir) -> list[Operation]:
    """`$document` on the type, with `id`, and on the instance."""
    both = frozenset({"GET", "POST"})
    definition = f"{FHIR}/OperationDefinition/Composition-document"
    levels: frozenset[Level] = frozenset({"type", "instance"})
    return [
        Operation(
            "document", levels, DocumentOperation(fhir), frozenset({"Composition"}), both, definition, for_all=True
        )
    ]
