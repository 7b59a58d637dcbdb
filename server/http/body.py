"""Reading a request body as it streams in, with a limit that holds before the memory is spent."""

from __future__ import annotations

import zlib
from functools import lru_cache
from urllib.parse import unquote_plus

from fhir_profiles.errors import Category, FhirError
from server.http.errors import not_supported
from server.http.routes import too_long
from server.observability import Receive

MAX_PAIRS = 1000
_SHORT = 256
"""Letters of an encoded text that is kept with what it means."""

_WINDOWS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}


class ClientGoneError(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


async def read_body(receive: Receive, limit: int, declared: bytes | None) -> bytes:
    """The whole body; 413 as soon as it is known to be larger than `limit` bytes."""
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_long(limit, "body")
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    first: bytes = message.get("body", b"")
    if len(first) > limit:
        raise too_long(limit, "body")
    if not message.get("more_body", False):
        return first
    chunks = [first]
    size = len(first)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_long(limit, "body")
        chunks.append(chunk)
    return b"".join(chunks)


def unpack(body: bytes, encoding: bytes, limit: int) -> bytes:
    """The body without its Content-Encoding; 415 for one that is not known, 413 when more than `limit` comes out."""
    if encoding not in _WINDOWS:
        text = "The body may come as it is, or in Content-Encoding: gzip or deflate."
        raise not_supported(415, text, ((b"accept-encoding", b"gzip, deflate"),))
    unpacker = zlib.decompressobj(_WINDOWS[encoding])
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise _broken(encoding) from None
    if len(plain) > limit:
        raise too_long(limit, "unpacked body")
    if not unpacker.eof or unpacker.unused_data:
        raise _broken(encoding)
    return plain


def _broken(encoding: bytes) -> FhirError:
    text = f"The body is not one whole stream of {encoding.decode()}."
    return FhirError.of(Category.INCORRECT, "structure", text)


def read_pairs(text: bytes) -> tuple[tuple[str, str], ...]:
    """The decoded pairs of a query string or a form; 400 when it is not UTF-8 or has too many."""
    if text.count(b"&") >= MAX_PAIRS:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"The query has more than {MAX_PAIRS} parameters.")
    try:
        parts = [part.partition("=") for part in text.decode("ascii").split("&") if part]
        return tuple([(_plain(name), _plain(value)) for name, _, value in parts])
    except UnicodeDecodeError:
        raise FhirError.of(Category.INCORRECT, "structure", "The query is not percent-encoded UTF-8.") from None


def _plain(text: str) -> str:
    """One name or value without percent-encoding; most have none, and URLs of systems come again and again."""
    if "%" not in text and "+" not in text:
        return text
    return _decoded(text) if len(text) <= _SHORT else _decoded.__wrapped__(text)


@lru_cache(maxsize=2048)
def _decoded(text: str) -> str:
    return unquote_plus(text, "utf-8", "strict")
