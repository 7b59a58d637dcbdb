"""Sending an answer: stored bytes as they are, or pretty, or as XML, or compressed, with the headers of FHIR."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import msgspec

from fhir_profiles.xml import from_json
from server.http.negotiate import FHIR_JSON, XML_TYPES
from server.observability import Send

Header = tuple[bytes, bytes]
COMPRESSION = 1
_WINDOW = {b"gzip": 31, b"deflate": 15}
_VARY: Header = (b"vary", b"accept, accept-encoding, authorization")
SAFE: tuple[Header, ...] = (
    (b"cache-control", b"private, no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
"""What every answer about patients says: not to be kept by others, guessed about, told further or framed."""


@dataclass(slots=True)
class Manner:
    """How this client wants its answers: known before the request is understood, so that errors follow it too."""

    content_type: bytes = FHIR_JSON
    pretty: bool = False
    encoding: bytes = b""  # gzip, deflate or none
    head: bool = False
    forced: bool = False  # `_format` was given and wins over Accept
    as_it_is: bool = False  # a file and not FHIR
    other: str = ""  # what `_format` asks for that is not FHIR: some operations give it
    headers: list[Header] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Whether the JSON goes out as it stands."""
        return self.as_it_is or (not self.pretty and self.content_type not in XML_TYPES)


def render(body: bytes, manner: Manner) -> bytes:
    """FHIR JSON in the format that the client wants; FhirError(UNSUPPORTED) when XML cannot hold it."""
    if manner.plain or not body:
        return body
    if manner.content_type in XML_TYPES:
        return from_json(body, pretty=manner.pretty)
    return msgspec.json.format(body, indent=2)


async def answer(send: Send, manner: Manner, status: int, body: bytes, headers: list[Header], least: int) -> None:
    """Send one complete response whose body is rendered; one of at least `least` bytes is compressed (0: none is)."""
    headers += manner.headers
    given = {name for name, _ in headers}
    headers += [pair for pair in SAFE if pair[0] not in given]
    if manner.as_it_is:
        headers.append((b"content-type", manner.content_type))
    elif body:
        headers += ((b"content-type", manner.content_type), _VARY)
        if manner.encoding and least and len(body) >= least:
            body = compress(body, manner.encoding)
            headers.append((b"content-encoding", manner.encoding))
    if status != 304 and status != 204:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if manner.head else body})


def compress(body: bytes, encoding: bytes = b"gzip") -> bytes:
    """The body in gzip or deflate at the cheapest level."""
    packer = zlib.compressobj(COMPRESSION, zlib.DEFLATED, _WINDOW[encoding])
    return packer.compress(body) + packer.flush()
