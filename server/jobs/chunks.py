"""NDJSON that lies in the database, a gzip member for each chunk: written with the step that made it, read as a stream.

Members one after another are a gzip file, so that a client that takes gzip gets the stored bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import msgspec

from server.jobs.engine import View
from server.store import Tx

LEVEL = 6
_ROW = "INSERT INTO later_chunk (request, n, section, file, type, first, last, lines, size, body)"


class File(msgspec.Struct, frozen=True):
    """One file of a request: its section (input, output, error, deleted), type, lines and bytes."""

    section: str
    name: str
    type: str
    lines: int
    size: int
    packed: int


class Chunk(msgspec.Struct, frozen=True):
    """Where a chunk lies: its number, and its size as it is read and as it is stored."""

    n: int
    size: int
    packed: int


def write_chunk(
    tx: Tx, request: str, n: int, file: tuple[str, str, str], lines: Sequence[bytes], span: tuple[str, str] = ("", "")
) -> None:
    """Add chunk `n` to a file (section, name, type); `span` is the least and greatest id in it."""
    text = b"\n".join(lines) + b"\n"
    row = (request, n, *file, *span, len(lines), len(text), pack(text))
    tx.execute(f"{_ROW} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def pack(text: bytes) -> bytes:
    """One gzip member; the same text gives the same bytes."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    return deflate.compress(text) + deflate.flush()


def unpack(body: bytes) -> bytes:
    """The text of one member."""
    return zlib.decompress(body, 31)


def files(view: View, request: str) -> list[File]:
    """The files of a request, in the order they were begun."""
    sql = (
        "SELECT section, file, min(type), sum(lines), sum(size), sum(length(body)) FROM later_chunk"
        " WHERE request = ? GROUP BY section, file ORDER BY min(n)"
    )
    return [File(*row[:3], *(int(value) for value in row[3:])) for row in view.query(sql, (request,))]


def chunks_of(view: View, request: str, section: str, name: str) -> list[Chunk]:
    """The chunks of a file, in order."""
    sql = "SELECT n, size, length(body) FROM later_chunk WHERE request = ? AND section = ? AND file = ? ORDER BY n"
    return [Chunk(*row) for row in view.query(sql, (request, section, name))]


def read_chunk(view: View, request: str, n: int) -> bytes:
    """A chunk as it is stored; LookupError when the request was removed."""
    rows = view.query("SELECT body FROM later_chunk WHERE request = ? AND n = ?", (request, n))
    if not rows:
        raise LookupError("The chunk is gone.")
    return bytes(rows[0][0])


def texts_about(view: View, request: str, section: str, resource_type: str, resource_id: str) -> Iterator[bytes]:
    """The chunks of a type, unpacked, that may hold the resource with this id."""
    sql = (
        "SELECT body FROM later_chunk WHERE request = ? AND section = ? AND type = ? AND first <= ? AND last >= ?"
        " ORDER BY n"
    )
    for (body,) in view.query(sql, (request, section, resource_type, resource_id, resource_id)):
        yield unpack(bytes(body))
