"""`$meta`, `$meta-add` and `$meta-delete`: the profiles, tags and security labels of a resource.

A change is a new version like any other: it is found by `_history`, `_since` and subscriptions.
https://hl7.org/fhir/R4/resource-operation-meta.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.systems import FHIR
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import read_arguments, wrong
from server.operations.registry import Level, Operation
from server.store import Tx

Meta = dict[str, Any]
Merge = Callable[[Meta, Meta], Meta]
LABELS = ("profile", "tag", "security")


class MetaOperations:
    """The three operations on one resource."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def tell(self, request: Request) -> Response:
        """The meta of the resource as it is."""
        found = await self._fhir.handle(_read(request))
        return _answer(json.decode(found.body).get("meta", {}))

    async def add(self, request: Request) -> Response:
        """Add labels; those that are there already stay as they are."""
        return await self._change(request, _added)

    async def delete(self, request: Request) -> Response:
        """Take labels away by system and code, profiles by URL; what is not there is no error."""
        return await self._change(request, _without)

    async def _change(self, request: Request, merge: Merge) -> Response:
        given = read_arguments(request, "meta").value("meta")
        if not isinstance(given, dict) or not all(isinstance(given.get(name, []), list) for name in LABELS):
            raise wrong("Send a Parameters with the parameter meta, a valueMeta.", "Parameters.parameter")
        return await self._fhir.store.write(lambda tx: self._write(tx, request, given, merge))

    def _write(self, tx: Tx, request: Request, given: Meta, merge: Merge) -> Response:
        resource = json.decode(self._fhir.handle_in(tx, _read(request)).body)
        resource["meta"] = merge(resource.get("meta", {}), given)
        body = json.encode(resource)
        put = msgspec.structs.replace(_read(request), method="PUT", body=body, prefer="return=representation")
        return _answer(json.decode(self._fhir.handle_in(tx, put).body).get("meta", {}))


def _read(request: Request) -> Request:
    return Request(method="GET", path=request.path[:2], base_url=request.base_url, caller=request.caller)


def _same(one: Any, other: Any) -> bool:
    """Whether two labels are one: the same profile, or the same system and code."""
    if isinstance(one, dict) and isinstance(other, dict):
        return (one.get("system"), one.get("code")) == (other.get("system"), other.get("code"))
    return bool(one == other)


def _added(meta: Meta, given: Meta) -> Meta:
    changed = dict(meta)
    for name in LABELS:
        new = [one for one in given.get(name, []) if not any(_same(one, there) for there in meta.get(name, []))]
        if new:
            changed[name] = [*meta.get(name, []), *new]
    return changed


def _without(meta: Meta, given: Meta) -> Meta:
    changed = dict(meta)
    for name in LABELS:
        if left := [there for there in meta.get(name, []) if not any(_same(there, one) for one in given.get(name, []))]:
            changed[name] = left
        else:
            changed.pop(name, None)
    return changed


def _answer(meta: Meta) -> Response:
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": meta}]}
    return Response(status=200, body=json.encode(parameters))


def operations(fhir: Fhir) -> list[Operation]:
    """The three on every resource."""
    ours = MetaOperations(fhir)
    level: frozenset[Level] = frozenset({"instance"})
    named = f"{FHIR}/OperationDefinition/Resource-meta"
    return [
        Operation("meta", level, ours.tell, methods=frozenset({"GET"}), definition=named, for_all=True),
        Operation("meta-add", level, ours.add, definition=f"{named}-add", for_all=True),
        Operation("meta-delete", level, ours.delete, definition=f"{named}-delete", for_all=True),
    ]
