"""Where a request leaves its events: once its answer is known, and before that leaves (https://profiles.ihe.net/ITI/BALP/)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from server.access.caller import NOBODY, Caller
from server.audit import interaction, security
from server.audit.event import Event, encode
from server.audit.trace import Trace
from server.audit.trail import Trail
from server.http.arrive import split_path
from server.interactions.exchange import Request, Response
from server.observability import Message, Scope, Send

LONGEST = 16 * 1024
"""Characters of path and query that are kept."""

_TRANSACTION = re.compile(rb'"type"\s*:\s*"transaction"')


def trace_of(scope: Scope) -> Trace:
    """What the connection says of a request, the same for all that asks for it."""
    found = scope.get("fhir_trace")
    if found is None:
        client, query = scope.get("client"), scope.get("query_string")
        path = scope.get("raw_path") or scope["path"].encode()
        asked = (path + b"?" + query if query else path)[:LONGEST].decode("latin-1")
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        found = scope["fhir_trace"] = Trace(
            scope.get("request_id", ""),
            client[0] if client else "",
            host.decode("latin-1"),
            asked,
            [],
            parent=scope.get("fhir_parent", ""),
        )
    made: Trace = found
    return made


def with_form(caller: Caller, form: bytes) -> Caller:
    """The caller of a search by POST: its form is what was asked."""
    trace = caller.trace
    asked = f"{trace.asked}?{form.decode('latin-1')}"[:LONGEST]
    return msgspec.structs.replace(caller, trace=msgspec.structs.replace(trace, asked=asked))


def record(trail: Trail | None, scope: Scope, status: int, response: Response | None = None) -> None:
    """Keep the events of a request: none of a write that was done, as its transaction holds them."""
    if trail is None:
        return
    request: Request | None = scope.get("fhir_request")
    if request is None:
        request = _unread(scope)
    name: str | None = scope.get("fhir_operation")
    if status < 400 and status != 202 and name is None and request.method not in ("GET", "HEAD") and request.path:
        return
    body = response.body if response is not None and response.content_type.endswith("json") else b""
    event = interaction.read(request, status, body, name, () if response is None else response.about)
    if event.code == "batch" and _TRANSACTION.search(request.body):
        event = msgspec.structs.replace(event, code="transaction")
    trail.keep_lines([encode(event), *(request.caller.trace.notes or ())])


def _unread(scope: Scope) -> Request:
    """A request that was refused before it was understood."""
    caller = scope.get("fhir_caller") or NOBODY
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    caller = msgspec.structs.replace(caller, trace=trace_of(scope))
    return Request(method=method, path=split_path(scope["path"]), caller=caller)


def recorded(trail: Trail | None, scope: Scope, send: Send) -> Send:
    """`send` that keeps the event of a file before its first byte goes out."""

    async def watch(message: Message) -> None:
        if message["type"] == "http.response.start" and trail is not None:
            caller = msgspec.structs.replace(scope.get("fhir_caller") or NOBODY, trace=trace_of(scope))
            request = Request(method="GET", path=("$file",), caller=caller)
            trail.keep(_file(request, message))
        await send(message)

    return watch


def _file(request: Request, message: Any) -> Event:
    return interaction.read(request, message["status"], b"", "file")


ENDPOINTS = {f"/auth/{name}": name for name in ("authorize", "token", "introspect", "revoke")}
"""Where tokens are asked for: what is given there leaves its event with it, what is refused leaves one here."""


def refusals(trail: Trail, scope: Scope, send: Send) -> Send:
    """`send` that keeps the event of a call for tokens that is refused before the refusal goes out."""
    code = ENDPOINTS[scope["path"]]

    async def watch(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            trace = trace_of(scope)
            trail.keep(security.refused(code, message["status"], trace.request, trace.address, trace.server))
        await send(message)

    return watch
