"""The FHIR base as one ASGI application: from the wire to a Request, from a Response to the wire.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import orjson
import structlog

from fhir_profiles.errors import Category, FhirError
from server.http.answer import Header, Manner, answer
from server.http.binary import LARGE, answer_download, is_download, is_file_upload, read_upload
from server.http.body import ClientGoneError, read_body, read_pairs
from server.http.errors import not_supported, outcome_of, status_of
from server.http.negotiate import answer_type, check_format, is_form, is_json, is_json_patch, takes_gzip
from server.http.routes import SEARCHES, Shape, check_method, find_shape, too_long
from server.interactions.exchange import FHIR_JSON, Request, Response
from server.interactions.fhir import Fhir
from server.observability import FAULTS, App, Receive, Scope, Send, describe
from server.operations.registry import Handler, Operation, Operations
from server.settings import Settings

PREFIX = "/fhir"
T = TypeVar("T")
_BINARY = ("Binary",)
_FILES = f"{PREFIX}/$file/"
_HOST = re.compile(r"^[A-Za-z0-9._~:\-\[\]]{1,255}$")
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
    ) -> None:
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
            await self._sockets.get("/".join(_split(scope["path"])), _refuse)(scope, receive, send)
            return
        if self._files is not None and scope["path"].startswith(_FILES):
            await self._files(scope, receive, send)
            return
        manner = Manner()
        headers: list[Header]
        try:
            response = await self._serve(scope, receive, manner)
            status, body, headers = response.status, response.body, _headers_of(response)
        except ClientGoneError:
            return
        except FhirError as error:
            status, body, headers = self._explain(error, scope)
        except Exception as error:
            status, body, headers = self._confess(error, scope)
        await answer(send, manner, status, body, headers, self._settings.gzip_min_bytes)

    async def _serve(self, scope: Scope, receive: Receive, manner: Manner) -> Response:
        fields: dict[bytes, bytes] = dict(scope["headers"])
        method: str = scope["method"]
        if method == "HEAD":
            manner.head, method = True, "GET"
        manner.gzip = takes_gzip(fields.get(b"accept-encoding", b""))
        query = self._read_query(scope, manner)
        accept = fields.get(b"accept")
        parts = _split(scope["path"])
        operation = self._operations.find(parts) if parts and parts[-1][:1] == "$" else None
        shape = (operation and _shape_of(operation, parts)) or find_shape(parts, self._types)
        scope["fhir_route"] = shape.template
        download = parts[:1] == _BINARY and is_download(shape, parts, method, manner)
        if accept is not None and not manner.forced and not download:
            manner.content_type = answer_type(accept)
        check_method(method, shape.methods)
        body, upload = b"", False
        if method in ("POST", "PUT", "PATCH"):
            body = await read_body(receive, self._settings.max_body_bytes, fields.get(b"content-length"))
            upload = parts[:1] == _BINARY and is_file_upload(shape, parts, method, fields.get(b"content-type", b""))
            _check_content(
                fields, body, shape in SEARCHES, upload or (operation is not None and operation.raw), method == "PATCH"
            )
        if shape in SEARCHES:
            method, parts, query, body = "GET", _searched(parts), query + read_pairs(body), b""
        request = Request(
            method=method,
            path=parts,
            query=query,
            body=body,
            content_type=_text(fields.get(b"content-type")) or FHIR_JSON,
            base_url=self._base_url or _base_url(scope["scheme"], fields.get(b"host", b"localhost")),
            if_match=_text(fields.get(b"if-match")),
            if_none_match=_text(fields.get(b"if-none-match")),
            if_none_exist=_text(fields.get(b"if-none-exist")),
            if_modified_since=_text(fields.get(b"if-modified-since")),
            prefer=_text(fields.get(b"prefer")) or "",
        )
        if upload:
            request = await self._away(len(body), read_upload, request, fields.get(b"x-security-context"))
        response = await self._handler_of(operation, request)(request)
        if download:
            return await self._away(len(response.body), answer_download, response, accept or b"", manner)
        if response.content_type is not FHIR_JSON:
            manner.as_it_is, manner.content_type = True, response.content_type.encode("latin-1")
        return response

    def _handler_of(self, operation: Operation | None, request: Request) -> Handler:
        """What answers a request, now or later."""
        if self._defer and request.preferred.respond_async and not (operation and operation.defers):
            return self._defer
        return operation.handler if operation else self._fhir.handle

    async def _away(self, size: int, function: Callable[..., T], *args: Any) -> T:
        """Call a function that handles so many bytes, in a thread when they are many."""
        return await self._fhir.store.run(function, *args) if size > LARGE else function(*args)

    def _read_query(self, scope: Scope, manner: Manner) -> tuple[tuple[str, str], ...]:
        """The query without what concerns the form of the answer, which goes to `manner`."""
        raw: bytes = scope["query_string"]
        if len(raw) + len(scope["path"]) > self._settings.max_url_bytes:
            raise too_long(self._settings.max_url_bytes, "URL", 414)
        if not raw:
            return ()
        pairs = read_pairs(raw)
        if b"_format" in raw or b"_pretty" in raw:
            for name, value in pairs:
                if name == "_pretty":
                    manner.pretty = value == "true"
                elif name == "_format":
                    check_format(value)
                    manner.forced = True
            pairs = tuple(pair for pair in pairs if pair[0] not in ("_format", "_pretty"))
        return pairs

    def _explain(self, error: FhirError, scope: Scope) -> tuple[int, bytes, list[Header]]:
        """An error that was foreseen."""
        if error.category is Category.FAULT:
            return self._confess(error, scope)
        headers = list(getattr(error, "headers", ()))
        return status_of(error), orjson.dumps(outcome_of(error)), headers

    def _confess(self, error: Exception, scope: Scope) -> tuple[int, bytes, list[Header]]:
        """An error that was not: the client gets a reference, the log the place; neither gets its text."""
        route = scope.get("fhir_route", PREFIX)
        reference = scope.get("request_id", "unknown")
        FAULTS.labels(route).inc()
        _log.error("fault", id=reference, route=route, **describe(error))
        text = f"The server failed on this request. Report this reference to its operator: {reference}"
        fault = FhirError.of(Category.FAULT, "exception", text)
        return status_of(fault), orjson.dumps(outcome_of(fault)), []


async def _refuse(_scope: Scope, receive: Receive, send: Send) -> None:
    """Close a websocket that asks for a path where there is none, before it is open: the client sees 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1000})


def _split(path: str) -> tuple[str, ...]:
    """The parts of a path below the FHIR base; one slash at the end is forgiven."""
    below = path[len(PREFIX) + 1 :].removesuffix("/")
    return tuple(below.split("/")) if below else ()


def _searched(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The path that a POST to `_search` searches."""
    return (*parts[:2], "*") if len(parts) == 3 else parts[:-1]


def _shape_of(operation: Operation, parts: tuple[str, ...]) -> Shape:
    places = ("", "/{type}", "/{type}/{id}")
    methods = operation.methods | {"HEAD"} if "GET" in operation.methods else operation.methods
    return Shape(f"{PREFIX}{places[len(parts) - 1]}/${operation.name}", methods)


def _check_content(fields: dict[bytes, bytes], body: bytes, is_search: bool, any_type: bool, is_patch: bool) -> None:
    """415 when the body is not in a form this route reads."""
    content_type = fields.get(b"content-type", b"")
    if fields.get(b"content-encoding", b"identity").lower() != b"identity":
        raise not_supported(415, "Send the body without Content-Encoding.")
    if is_search:
        if not is_form(content_type) and (body or content_type):
            raise not_supported(415, "Send _search as Content-Type: application/x-www-form-urlencoded.")
    elif is_patch:
        if not is_json(content_type) and not is_json_patch(content_type):
            text = "Send a patch as application/json-patch+json, or Parameters as application/fhir+json."
            raise not_supported(415, text, ((b"accept-patch", b"application/json-patch+json, application/fhir+json"),))
    elif not is_json(content_type) and not any_type:
        raise not_supported(415, "Send JSON in UTF-8 as Content-Type: application/fhir+json.")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


@lru_cache(maxsize=128)
def _base_url(scheme: str, host: bytes) -> str:
    """The FHIR base as this client addressed it."""
    name = host.decode("latin-1")
    if not _HOST.match(name):
        raise FhirError.of(Category.INCORRECT, "structure", "The Host header is not a host name.")
    return f"{scheme}://{name}{PREFIX}"


def _headers_of(response: Response) -> list[Header]:
    headers: list[Header] = []
    for name, value in (
        (b"etag", response.etag),
        (b"last-modified", response.last_modified),
        (b"location", response.location),
    ):
        if value is not None:
            headers.append((name, value.encode("latin-1")))
    headers += [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.headers]
    return headers
