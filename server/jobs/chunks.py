"""NDJSON that lies in the database, packed: written with the step that made it, read as a stream of stored bytes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import msgspec

from server.jobs.deflate import pack, unpack
from server.jobs.engine import View
from server.store import Tx

_ID = re.compile(rb'^\{"resourceType":"\w+","id":"([A-Za-z0-9\-.]{1,64})"', re.MULTILINE)
_ROW = "INSERT INTO later_chunk (request, n, section, file, type, first, last, lines, size, crc, body)"


class File(msgspec.Struct, frozen=True):
    """One file of a request: its section (input, output, error, deleted), type, lines and bytes."""

    section: str
    name: str
    type: str
    lines: int
    size: int
    packed: int


class Chunk(msgspec.Struct, frozen=True):
    """Where a chunk lies: its number, its size as it is read and as it is stored, and the CRC of its text."""

    n: int
    size: int
    packed: int
    crc: int


def write_chunk(
    tx: Tx, request: str, n: int, file: tuple[str, str, str], lines: Sequence[bytes], span: tuple[str, str] = ("", "")
) -> None:
    """Add chunk `n` to a file (section, name, type); `span` is the least and greatest id in it."""
    text = b"\n".join(lines) + b"\n"
    row = (request, n, *file, *span, len(lines), len(text), zlib.crc32(text), pack(text))
    tx.execute(f"{_ROW} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def files(view: View, request: str) -> list[File]:
    """The files of a request, in the order they were begun."""
    sql = (
        "SELECT section, file, min(type), sum(lines), sum(size), sum(length(body)) FROM later_chunk"
        " WHERE request = ? GROUP BY section, file ORDER BY min(n)"
    )
    return [File(*row[:3], *(int(value) for value in row[3:])) for row in view.query(sql, (request,))]


def chunks_of(view: View, request: str, section: str, name: str) -> list[Chunk]:
    """The chunks of a file, in order."""
    sql = "SELECT n, size, length(body), crc FROM later_chunk WHERE request = ? AND section = ? AND file = ? ORDER BY n"
    return [Chunk(*row) for row in view.query(sql, (request, section, name))]


def read_chunk(view: View, request: str, n: int) -> bytes:
    """A chunk as it is stored; LookupError when the request was removed."""
    rows = view.query("SELECT body FROM later_chunk WHERE request = ? AND n = ?", (request, n))
    if not rows:
        raise LookupError("The chunk is gone.")
    return bytes(rows[0][0])


def ids_between(view: View, request: str, resource_type: str, low: str, high: str) -> set[str]:
    """The ids between two, both included, that stand in the output of a type."""
    sql = (
        "SELECT body FROM later_chunk"
        " WHERE request = ? AND section = 'output' AND type = ? AND first <= ? AND last >= ?"
    )
    texts = (unpack(bytes(body)) for (body,) in view.query(sql, (request, resource_type, high, low)))
    ids = (found.decode() for text in texts for found in _ID.findall(text))
    return {one for one in ids if low <= one <= high}
