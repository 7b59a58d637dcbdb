"""Cut a file of lines into chunks by reading it once (NDJSON, https://github.com/ndjson/ndjson-spec)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

import msgspec

LINES = 10_000
"""Claims of a chunk at most: enough that fixed costs vanish, few enough that a chunk fits in 200 MB."""
MOST_BYTES = 32 * 1024 * 1024
LEAST_BYTES = 4 * 1024 * 1024
"""Bytes of a chunk: at most, and from which on a file is cut into more than one."""
LONGEST = 8 * 1024 * 1024
"""Bytes of one line; a longer one is rejected without being read."""
_EVEN = 4
"""Chunks come in multiples of it, so that no process is left waiting for another at the end."""
_BLOCK = 1 << 20


class Chunk(msgspec.Struct, frozen=True):
    """Lines that are worked on together: `first` is the number of the first, from 1. One too long stands by itself."""

    number: int
    first: int
    lines: int
    offset: int
    length: int

    @property
    def too_long(self) -> bool:
        """Whether it is a line that is not to be read."""
        return self.length > MOST_BYTES


def cut(path: Path) -> Iterator[Chunk]:
    """The chunks of a file, the same for the same bytes and all about as long."""
    most = _bytes(path.stat().st_size)
    number, first, count, offset = 0, 1, 0, 0
    end = 0
    for line_end in _ends(path):
        length = line_end - end
        if count and (count == LINES or line_end - offset > most):
            yield Chunk(number, first, count, offset, end - offset)
            number, first, count, offset = number + 1, first + count, 0, end
        count += 1
        if length > MOST_BYTES:
            yield Chunk(number, first, 1, offset, length)
            number, first, count, offset = number + 1, first + 1, 0, line_end
        end = line_end
    if count:
        yield Chunk(number, first, count, offset, end - offset)


def read(path: Path, chunk: Chunk) -> bytes:
    """The bytes of a chunk, without a mark of the byte order; nothing of a line that is too long."""
    if chunk.too_long:
        return b""
    with path.open("rb") as file:
        file.seek(chunk.offset)
        body = file.read(chunk.length)
    return body.removeprefix(codecs.BOM_UTF8) if chunk.first == 1 else body


def _bytes(size: int) -> int:
    """How long chunks become at most: an even number of them, with some room for lines of different lengths."""
    pieces = -(-size // MOST_BYTES)
    pieces += -pieces % _EVEN
    return min(MOST_BYTES, max(LEAST_BYTES, size // max(pieces, 1) * 101 // 100))


def _ends(path: Path) -> Iterator[int]:
    """Where each line ends, its newline included."""
    place = last = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            at = block.find(b"\n")
            while at >= 0:
                last = place + at + 1
                yield last
                at = block.find(b"\n", at + 1)
            place += len(block)
    if place > last:
        yield place
