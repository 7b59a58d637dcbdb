"""NDJSON that lies in the database, packed: written with the step that made it, read as a stream of stored bytes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import msgspec

from server.jobs.deflate import pack, unpack
from server.jobs.engine import View
from server.store import Tx
from server.store.ring import JOBS

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
    write_part(tx, request, n, file, b"\n".join(lines) + b"\n", len(lines), span)


def write_part(
    tx: Tx, request: str, n: int, file: tuple[str, str, str], part: bytes, lines: int, span: tuple[str, str] = ("", "")
) -> None:
    """The same for bytes that need not be lines; `lines` counts what is in them."""
    row = (
        request,
        n,
        *file,
        *span,
        lines,
        len(part),
        zlib.crc32(part),
        tx.seal(JOBS, ("later_chunk", request, n), pack(part)),
    )
    tx.execute(f"{_ROW} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def files(view: View, request: str) -> list[File]:
    """The files of a request, in the order they were begun."""
    extra = _extra(view)
    sql = (
        f"SELECT section, file, min(type), sum(lines), sum(size), sum(length(body) - {extra}) FROM later_chunk"
        " WHERE request = ? GROUP BY section, file ORDER BY min(n)"
    )
    return [File(*row[:3], *(int(value) for value in row[3:])) for row in view.query(sql, (request,))]


def chunks_of(view: View, request: str, section: str, name: str) -> list[Chunk]:
    """The chunks of a file, in order."""
    sql = (
        f"SELECT n, size, length(body) - {_extra(view)}, crc FROM later_chunk"
        " WHERE request = ? AND section = ? AND file = ? ORDER BY n"
    )
    return [Chunk(*row) for row in view.query(sql, (request, section, name))]


def read_chunk(view: View, request: str, n: int) -> bytes:
    """A chunk as it is stored; LookupError when the request was removed."""
    rows = view.query("SELECT body FROM later_chunk WHERE request = ? AND n = ?", (request, n))
    if not rows:
        raise LookupError("The chunk is gone.")
    return _opened(view, request, n, rows[0][0])


def ids_around(view: View, request: str, resource_type: str, low: str, high: str) -> set[str]:
    """The ids in those chunks of the output of a type whose span overlaps that of two ids."""
    sql = (
        "SELECT n, body FROM later_chunk"
        " WHERE request = ? AND section = 'output' AND type = ? AND first <= ? AND last >= ?"
    )
    texts = (
        unpack(_opened(view, request, n, body)) for n, body in view.query(sql, (request, resource_type, high, low))
    )
    return {found.decode() for text in texts for found in _ID.findall(text)}


def _opened(view: View, request: str, n: int, body: bytes) -> bytes:
    sealing = view.sealing
    return bytes(body) if sealing is None else sealing.read(view.query, ("later_chunk", request, n), bytes(body))


def _extra(view: View) -> int:
    """Bytes that a chunk has more as it is stored than packed."""
    return 0 if view.sealing is None else view.sealing.overhead
