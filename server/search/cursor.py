"""Where a page ends or begins, as the opaque text of a link: the keys of a row, bound to their query."""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Any

import msgspec

from .query import Query, invalid

_SIZE = 9
_FREE = ("_count", "_total", "_summary", "_elements", "_include", "_revinclude")
"""They say how much of the answer is shown: a link may go on with others."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A row in the order of a search: its type, the way on which it was found, and its keys.

    `back` asks for the page before it instead of the one after it.
    """

    back: bool
    type: str
    way: str
    keys: tuple[Any, ...]


def _mark(query: Query, payload: bytes) -> bytes:
    used = [pair for pair in query.used if pair[0].partition(":")[0] not in _FREE]
    return blake2b(msgspec.msgpack.encode((query.path, used)) + payload, digest_size=_SIZE).digest()


def write_cursor(query: Query, place: Place) -> str:
    """The cursor of a place."""
    payload = msgspec.msgpack.encode(place)
    return base64.urlsafe_b64encode(_mark(query, payload) + payload).decode().rstrip("=")


def read_cursor(query: Query) -> Place | None:
    """The place of the query's cursor; None for the first page, FhirError for a cursor of another query."""
    if query.cursor is None:
        return None
    try:
        data = base64.b64decode(query.cursor + "=" * (-len(query.cursor) % 4), altchars=b"-_", validate=True)
        payload = data[_SIZE:]
        if data[:_SIZE] != _mark(query, payload):
            raise wrong_cursor()
        return msgspec.msgpack.decode(payload, type=Place)
    except (binascii.Error, msgspec.DecodeError, msgspec.ValidationError, ValueError):
        raise wrong_cursor() from None


def wrong_cursor() -> Exception:
    """The error for a cursor that is not of this search."""
    return invalid("_cursor must come unchanged from a link of the same search. Start the search again.")
