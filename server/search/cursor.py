"""Where a page ends, as the opaque text of a `next` link: the keys of its last row, bound to their query."""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Any

import msgspec

from .query import Query, invalid

_SIZE = 9


def _mark(query: Query, payload: bytes) -> bytes:
    about = msgspec.msgpack.encode((query.type, [pair for pair in query.used if pair[0] not in ("_count", "_total")]))
    return blake2b(about + payload, digest_size=_SIZE).digest()


def write_cursor(query: Query, keys: tuple[Any, ...]) -> str:
    """The cursor after a row with these keys."""
    payload = msgspec.msgpack.encode(keys)
    return base64.urlsafe_b64encode(_mark(query, payload) + payload).decode().rstrip("=")


def read_cursor(query: Query, keys: int) -> tuple[Any, ...] | None:
    """The keys after which the page starts; None for the first page, FhirError for a cursor of another query."""
    if query.cursor is None:
        return None
    wrong = invalid("_cursor must come unchanged from the next link of the same search. Start the search again.")
    try:
        data = base64.b64decode(query.cursor + "=" * (-len(query.cursor) % 4), altchars=b"-_", validate=True)
        payload = data[_SIZE:]
        if data[:_SIZE] != _mark(query, payload):
            raise wrong
        values = msgspec.msgpack.decode(payload)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise wrong from None
    if not isinstance(values, list) or len(values) != keys:
        raise wrong
    return tuple(values)
