"""The FHIR base as one ASGI application: from the wire to a Request, from a Response to the wire.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import orjson
import structlog

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.subset import WHOLE
from server.access.caller import NOBODY, Identify, anybody
from server.access.decisions import Policy
from server.audit.trail import Trail
from server.http.answer import Header, Manner, answer, render
from server.http.arrive import (
    as_json,
    base_url,
    check_content,
    check_form,
    read_query,
    receive_body,
    request_of,
    split_path,
    take_form,
)
from server.http.binary import LARGE, answer_download, is_download, is_file_upload, read_upload
from server.http.body import ClientGoneError, read_pairs
from server.http.deciding import decided, refuse
from server.http.errors import HttpError, headers_of, outcome_of, status_of
from server.http.negotiate import HTML, answer_type, encoding_for, is_xml, not_acceptable, takes
from server.http.pages.capability import capability_page, page_headers
from server.http.recording import record, recorded, trace_of, with_form
from server.http.routes import PREFIX, SEARCHES, Shape, check_method, find_shape, too_long
from server.interactions.exchange import FHIR_JSON, Request, Response
from server.interactions.fhir import Fhir
from server.interactions.narrow import narrow, wish_of
from server.observability import FAULTS, App, Receive, Scope, Send, describe
from server.operations.registry import Handler, Operation, Operations
from server.settings import Settings

T = TypeVar("T")
_BINARY, _METADATA = ("Binary",), ("metadata",)
_FILES = f"{PREFIX}/$file/"
_RESOURCES = (b"application/fhir+json", b"application/fhir+xml")
_log = structlog.get_logger("http")


class FhirShell:
    """Serves every URL at and below `/fhir`; `sockets` are the websockets there, by their path below the base.

    `defer` takes requests that want to be answered later; `files` streams what stands below `/fhir/$file/`.
    """

    def __init__(
        self,
        fhir: Fhir,
        operations: Operations,
        types: frozenset[str],
        settings: Settings,
        sockets: Mapping[str, App] | None = None,
        defer: Handler | None = None,
        files: App | None = None,
        identify: Identify = anybody,
        trail: Trail | None = None,
        policy: Policy | None = None,
    ) -> None:
        self._policy = policy
        self._trail = trail
        self._identify = identify
        self._defer = defer
        self._files = files
        self._fhir = fhir
        self._sockets = sockets or {}
        self._operations = operations
        self._types = types
        self._settings = settings
        self._base_url = settings.base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong becomes an OperationOutcome."""
        if scope["type"] == "websocket":
            await self._sockets.get("/".join(split_path(scope["path"])), _refuse)(scope, receive, send)
            return
        if self._files is not None and scope["path"].startswith(_FILES):
            await self._files(scope, receive, recorded(self._trail, scope, send))
            return
        manner = Manner()
        headers: list[Header]
        try:
            response = await self._serve(scope, receive, manner)
            body = response.body
            if not manner.plain:
                body = await self._away(len(body), self._render, body, manner)
            status, headers = response.status, _headers_of(response)
            record(self._trail, scope, status, response)
        except ClientGoneError:
            return
        except FhirError as error:
            status, body, headers = self._explain(error, scope, manner)
            status, body, headers = self._tell(scope, manner, status, body, headers)
        except Exception as error:
            status, body, headers = self._confess(error, scope, manner)
            status, body, headers = self._tell(scope, manner, status, body, headers)
        await answer(send, manner, status, body, headers, self._settings.gzip_min_bytes)

    async def _serve(self, scope: Scope, receive: Receive, manner: Manner) -> Response:
        fields: dict[bytes, bytes] = dict(scope["headers"])
        method: str = scope["method"]
        if method == "HEAD":
            manner.head, method = True, "GET"
        manner.encoding = encoding_for(fields.get(b"accept-encoding", b""))
        query = read_query(scope, manner, self._settings.max_url_bytes)
        accept = fields.get(b"accept")
        parts = split_path(scope["path"])
        page = parts == _METADATA
        wanted = manner.content_type if manner.forced or accept is None else answer_type(accept, page)
        manner.content_type = wanted or manner.content_type
        operation = self._operations.find(parts) if parts and parts[-1][:1] == "$" else None
        shape = (operation and _shape_of(operation, len(parts))) or find_shape(parts, self._types)
        scope["fhir_route"] = shape.template
        download = parts[:1] == _BINARY and is_download(shape, parts, method, manner)
        other = _other(operation, manner, accept or b"")
        if (wanted is None and not (download or other)) or (wanted == HTML and not page):
            raise not_acceptable()
        caller = NOBODY if page else await self._identify(fields.get(b"authorization"), scope)
        caller = scope["fhir_caller"] = msgspec.structs.replace(caller, trace=trace_of(scope))
        if operation:
            operation.admit(caller)
        check_method(method, shape.methods)
        body = await receive_body(receive, fields, self._settings) if method in ("POST", "PUT", "PATCH") else b""
        if shape in SEARCHES:
            check_form(fields.get(b"content-type", b""), body)
            caller = with_form(caller, body)
            method, parts, query, body = "GET", _searched(parts), query + take_form(read_pairs(body), manner), b""
            if manner.other:
                raise not_acceptable()
        base = self._base_url or base_url(scope["scheme"], fields.get(b"host", b"localhost"))
        request = request_of(method, parts, query, body, fields, base, caller)
        request = msgspec.structs.replace(request, wants=other) if other else request
        scope["fhir_request"], scope["fhir_operation"] = request, operation and operation.name
        if operation and operation.longest is not None and len(body) > operation.longest:
            raise too_long(operation.longest, "body of this operation")
        if method != "GET":
            request = await self._understand(request, fields, shape, operation)
        if self._policy is not None and not page:
            request = await decided(self._policy, request, operation.name if operation else None)
            scope["fhir_request"] = request
            refuse(request)
        response = await self._handler_of(operation, request)(request)
        if download:
            return await self._away(len(response.body), answer_download, response, accept or b"", manner)
        if wanted == HTML:
            return await self._fhir.store.run(_as_page, response, manner)
        if response.content_type != FHIR_JSON:
            manner.as_it_is, manner.content_type = True, response.content_type.encode("latin-1")
        elif operation and (wish := wish_of(request)) is not WHOLE:
            return await self._away(len(response.body), narrow, response, wish)
        return response

    async def _understand(
        self, request: Request, fields: dict[bytes, bytes], shape: Shape, operation: Operation | None
    ) -> Request:
        """The request with its body as FHIR JSON, or as it is where the route takes anything."""
        if request.method == "DELETE":
            return request
        content_type = fields.get(b"content-type", b"")
        if request.path[:1] == _BINARY and is_file_upload(shape, request.path, request.method, content_type):
            reference = fields.get(b"x-security-context")
            return await self._away(len(request.body), read_upload, request, reference)
        if operation and operation.raw and not content_type.startswith(_RESOURCES):
            return request
        check_content(content_type, request.method)
        if is_xml(content_type):
            return await self._away(len(request.body), as_json, request)
        return request

    def _handler_of(self, operation: Operation | None, request: Request) -> Handler:
        """What answers a request, now or later."""
        if self._defer and request.preferred.respond_async and not (operation and operation.defers):
            return self._defer
        return operation.handler if operation else self._fhir.handle

    async def _away(self, size: int, function: Callable[..., T], *args: Any) -> T:
        """Call a function that handles so many bytes, in a thread when they are many."""
        return await self._fhir.store.run(function, *args) if size > LARGE else function(*args)

    def _render(self, body: bytes, manner: Manner) -> bytes:
        """The answer in the format asked for; 406 when it cannot be had in that one."""
        try:
            return render(body, manner)
        except FhirError as error:
            raise HttpError(406, "not-supported", str(error), category=Category.UNSUPPORTED) from None

    def _explain(self, error: FhirError, scope: Scope, manner: Manner) -> tuple[int, bytes, list[Header]]:
        """An error that was foreseen."""
        if error.category is Category.FAULT:
            return self._confess(error, scope, manner)
        return status_of(error), _outcome(error, manner), headers_of(error)

    def _tell(
        self, scope: Scope, manner: Manner, status: int, body: bytes, headers: list[Header]
    ) -> tuple[int, bytes, list[Header]]:
        """An answer that refuses, once the audit knows of it."""
        try:
            record(self._trail, scope, status)
        except FhirError as error:
            return self._explain(error, scope, manner)
        return status, body, headers

    def _confess(self, error: Exception, scope: Scope, manner: Manner) -> tuple[int, bytes, list[Header]]:
        """An error that was not: the client gets a reference, the log the place; neither gets its text."""
        route = scope.get("fhir_route", PREFIX)
        reference = scope.get("request_id", "unknown")
        FAULTS.labels(route).inc()
        _log.error("fault", id=reference, route=route, **describe(error))
        text = f"The server failed on this request. Report this reference to its operator: {reference}"
        fault = FhirError.of(Category.FAULT, "exception", text)
        return status_of(fault), _outcome(fault, manner), []


def _other(operation: Operation | None, manner: Manner, accept: bytes) -> str:
    """The media type beside FHIR's that is asked for, by `_format` or, where that is absent, by name in Accept."""
    gives = operation.gives if operation is not None else ""
    if manner.other:
        if manner.other != gives:
            raise not_acceptable()
        return gives
    return gives if gives and not manner.forced and takes(accept, gives) else ""


async def _refuse(_scope: Scope, receive: Receive, send: Send) -> None:
    """Close a websocket that asks for a path where there is none, before it is open: the client sees 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1000})


def _as_page(response: Response, manner: Manner) -> Response:
    """The CapabilityStatement for a person."""
    manner.as_it_is, manner.headers = True, page_headers()
    return Response(status=response.status, body=capability_page(response.body))


def _outcome(error: FhirError, manner: Manner) -> bytes:
    """The OperationOutcome in the format asked for; a file or a page that failed is none."""
    if manner.as_it_is or manner.content_type == HTML:
        manner.as_it_is, manner.content_type, manner.headers = False, Manner().content_type, []
    return render(orjson.dumps(outcome_of(error)), manner)


def _searched(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The path that a POST to `_search` searches."""
    return (*parts[:2], "*") if len(parts) == 3 else parts[:-1]


@lru_cache(maxsize=1024)
def _shape_of(operation: Operation, length: int) -> Shape:
    """The shape of a path of so many parts that calls an operation."""
    places = ("", "/{type}", "/{type}/{id}")
    methods = operation.methods | {"HEAD"} if "GET" in operation.methods else operation.methods
    return Shape(f"{PREFIX}{places[length - 1]}/${operation.name}", methods)


def _headers_of(response: Response) -> list[Header]:
    headers: list[Header] = []
    for name, value in (
        (b"etag", response.etag),
        (b"last-modified", response.last_modified),
        (b"location", response.location),
    ):
        if value is not None:
            headers.append((name, value.encode("latin-1")))
    if response.headers:
        headers += _encoded(response.headers)
    return headers


@lru_cache(maxsize=64)
def _encoded(headers: tuple[tuple[str, str], ...]) -> tuple[Header, ...]:
    return tuple((name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers)
