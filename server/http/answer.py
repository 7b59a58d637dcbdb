"""Sending an answer: stored bytes as they are, or pretty, or compressed, with the headers of FHIR."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import msgspec

from server.http.negotiate import FHIR_JSON
from server.observability import Send

Header = tuple[bytes, bytes]
GZIP_LEVEL = 1


@dataclass(slots=True)
class Manner:
    """How this client wants its answers: known before the request is understood, so that errors follow it too."""

    content_type: bytes = FHIR_JSON
    pretty: bool = False
    gzip: bool = False
    head: bool = False
    forced: bool = False  # `_format` was given and wins over Accept
    as_it_is: bool = False  # a file and not JSON
    headers: list[Header] = field(default_factory=list)


async def answer(send: Send, manner: Manner, status: int, body: bytes, headers: list[Header], gzip_min: int) -> None:
    """Send one complete response."""
    headers += manner.headers
    if manner.as_it_is:
        headers.append((b"content-type", manner.content_type))
    elif body:
        if manner.pretty:
            body = msgspec.json.format(body, indent=2)
        headers.append((b"content-type", manner.content_type))
        if gzip_min and len(body) >= gzip_min:
            headers.append((b"vary", b"accept-encoding"))
            if manner.gzip:
                body = compress(body)
                headers.append((b"content-encoding", b"gzip"))
    if status != 304 and status != 204:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if manner.head else body})


def compress(body: bytes) -> bytes:
    """The body in gzip at the cheapest level."""
    deflate = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)
    return deflate.compress(body) + deflate.flush()
