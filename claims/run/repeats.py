"""Lines of a file that repeat an earlier claim byte for byte, found with little memory however long the file is."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import orjson

from claims.run.write import write

MARK = struct.Struct("<QQ")
"""What stands of each claim in `chunks/*.marks`: the beginning of its digest, and its line."""
_AT_ONCE = 2_000_000
"""Claims whose marks are held at a time: about 250 MB."""


def repeats(out: Path) -> int:
    """Write `repeated.ndjson`: the number of each line that repeats an earlier one, and that of the first.

    The answer is how many there are.
    """
    files = sorted((out / "chunks").glob("*.marks"))
    parts = 1 + sum(file.stat().st_size for file in files) // MARK.size // _AT_ONCE
    found: list[tuple[int, int]] = []
    for part in range(parts):
        first: dict[int, int] = {}
        for digest, line in _marks(files):
            if digest % parts == part and (known := first.setdefault(digest, line)) != line:
                found.append((line, known))
    found.sort()
    write(out / "repeated.ndjson", b"".join(orjson.dumps({"line": n, "first": m}) + b"\n" for n, m in found))
    return len(found)


def _marks(files: list[Path]) -> Iterator[tuple[int, int]]:
    for file in files:
        yield from MARK.iter_unpack(file.read_bytes())
