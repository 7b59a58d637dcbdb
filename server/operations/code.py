"""`DocumentReference/$code`: a document in, the coded transaction Bundle out, nothing stored.

POST a DocumentReference, a Binary, a Parameters with one of them, or the file itself in its own Content-Type.
https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import binascii
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.access.gate import require
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs.attachments import check_declared, read_attachment
from server.jobs.binary import binary_data
from server.jobs.bounds import bounds_of
from server.jobs.children import Children, Failure
from server.jobs.unaided import refuse_unaided
from server.learning.serving import Serving
from server.operations.registry import Operation
from server.settings import Settings

_WAITING = 32  # calls that may wait for a process; more are told to come back
_JSON = ("application/fhir+json", "application/json", "text/json", "")
_WANTED = (
    "Send a DocumentReference, a Binary, a Parameters with one of them, or the file itself in its own Content-Type."
)
_CATEGORIES = {"not-found": Category.NOT_FOUND, "exception": Category.FAULT}


class CodeDocument:
    """Answers `$code` in killable processes, so that the server stays responsive whatever is sent."""

    def __init__(self, fhir: Fhir, settings: Settings, processes: int) -> None:
        self._fhir = fhir
        self._settings = settings
        self._children = Children(bounds_of(settings), processes, fhir.store.cache_key())
        self._children.follow(Serving(fhir.store, settings.data).champion)
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="code")
        self._waiting = 0
        atexit.register(self._children.close)

    async def __call__(self, request: Request) -> Response:
        """The Bundle; raises FhirError for what cannot be read."""
        if self._waiting >= _WAITING:
            raise FhirError.of(Category.BUSY, "throttled", "Many documents are being coded; try again in a moment.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(self._threads, self._answer, request)
        finally:
            self._waiting -= 1
        return Response(status=200, body=body)

    def _answer(self, request: Request) -> bytes:
        try:
            data, document = self._document(request)
            now = None if len(request.path) == 3 else _now()  # a stored one is recorded when its version was
            body: bytes = self._children.run("bundle", data, document, now)
        except Failure as failure:
            category = _CATEGORIES.get(failure.code, Category.INCORRECT)
            raise FhirError.of(category, failure.code, failure.text) from None
        return body

    def _document(self, request: Request) -> tuple[bytes, bytes | None]:
        """The file, and the DocumentReference around it without the file, if there is one."""
        if len(request.path) == 3:
            stored = Request(method="GET", path=request.path[:2], base_url=request.base_url, caller=request.caller)
            found = orjson.loads(self._fhir.handle_sync(stored).body)
            refuse_unaided(self._fhir.store, request.path[1])
            return self._unpack(found, request)
        if self._settings.unaided_percent or self._settings.unaided_custodians:
            require(request.caller, "DocumentReference", "c")  # whoever codes unaided could send the text itself
        if request.content_type.partition(";")[0].strip().lower() not in _JSON:
            check_declared(request.content_type, request.body)
            return request.body, None
        return self._unpack(json.decode(request.body), request)

    def _unpack(self, resource: Mapping[str, Any], request: Request) -> tuple[bytes, bytes | None]:
        kind = resource.get("resourceType")
        if kind == "Parameters":
            inner = [p["resource"] for p in _list(resource, "parameter") if isinstance(p, dict) and p.get("resource")]
            if len(inner) == 1 and inner[0].get("resourceType") != "Parameters":
                return self._unpack(inner[0], request)
        if kind == "Binary":
            return _decoded(resource.get("data")), None
        if kind != "DocumentReference":
            raise Failure("invalid", _WANTED)
        base_url = self._settings.base_url or request.base_url
        data = read_attachment(
            resource, base_url, partial(binary_data, self._fhir, caller=request.caller), self._settings.document_bytes
        )
        return data, json.encode(_without_data(resource))


def _list(resource: Mapping[str, Any], name: str) -> list[Any]:
    found = resource.get(name)
    return found if isinstance(found, list) else []


def _decoded(data: Any) -> bytes:
    try:
        return base64.b64decode(data or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise Failure("structure", "Binary.data is not base64. Encode the file and send it again.") from None


def _without_data(document: Mapping[str, Any]) -> dict[str, Any]:
    content = [
        {**c, "attachment": {k: v for k, v in c.get("attachment", {}).items() if k != "data"}}
        for c in document["content"]
    ]
    return {**document, "content": content}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def operations(fhir: Fhir, settings: Settings, processes: int = 1) -> list[Operation]:
    """`$code` on the type and on the instance."""
    handler = CodeDocument(fhir, settings, processes)
    types = frozenset({"DocumentReference"})
    definition = f"{BASE}/OperationDefinition/DocumentReference-code"
    return [
        Operation("code", frozenset({"type"}), handler, types, definition=definition, raw=True, for_all=True),
        Operation(
            "code", frozenset({"instance"}), handler, types, frozenset({"GET", "POST"}), definition, for_all=True
        ),
    ]
