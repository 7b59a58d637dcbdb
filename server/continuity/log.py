"""SQLite's write-ahead log as it stands in its file: whole transactions, told by the checksums that run through it.

https://sqlite.org/fileformat2.html#the_write_ahead_log

Nothing is locked and nothing is written: whoever reads sees transactions that are committed, or a torn end that its
checksum gives away. When the log begins anew its first salt rises by one, and what it held before has gone into the
database; what was not read yet still lies behind the new frames until those reach it.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

HEADER, FRAME = 32, 24
MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
MOST = 32 * 1024 * 1024
"""Bytes that are read at once."""

_WORD = 1 << 32
_Words = NDArray[np.uint32]


class Place(msgspec.Struct, frozen=True):
    """How far the log was read: frames of the generation that these salts name, and the checksum behind them."""

    salts: tuple[int, int]
    page: int
    order: str
    frame: int
    sums: tuple[int, int]


class Taken(msgspec.Struct, frozen=True):
    """Whole transactions: the last state of each page that they changed, and the pages of the database after them."""

    pages: dict[int, bytes]
    size: int
    place: Place


def log_of(database: Path) -> Path:
    """The log of a database."""
    return database.with_name(f"{database.name}-wal")


def generation(database: Path) -> str:
    """The present generation of the log; empty where there is none."""
    begun = beginning(log_of(database))
    return "" if begun is None else name_of(begun)


def name_of(place: Place) -> str:
    """The name of a generation."""
    return f"{place.salts[0]:08x}{place.salts[1]:08x}"


def beginning(log: Path) -> Place | None:
    """Where the present generation begins; None where there is no log, or its header is just being written."""
    try:
        with log.open("rb") as file:
            raw = file.read(HEADER)
    except FileNotFoundError:
        return None
    if len(raw) < HEADER:
        return None
    magic, _, page, _, salt1, salt2, sum1, sum2 = struct.unpack(">8I", raw)
    order = MAGIC.get(magic, "")
    if not order or not 512 <= page <= 65536:
        return None
    begun = Place((salt1, salt2), page, order, 0, (0, 0))
    found = _sums(begun, np.frombuffer(raw[:24], f"{order}u4").astype(np.uint32).reshape(1, -1))
    return None if found[0] != (sum1, sum2) else msgspec.structs.replace(begun, sums=(sum1, sum2))


def read(log: Path, place: Place) -> Taken | None:
    """The transactions behind a place that are of its generation; None when there are none."""
    step = FRAME + place.page
    pages: dict[int, bytes] = {}
    size = 0
    with log.open("rb") as file:
        while True:
            file.seek(HEADER + place.frame * step)
            raw = file.read(MOST // step * step)
            count, found, told = _frames(raw[: len(raw) // step * step], place)
            if found is None:
                break
            for at in range(0, count * step, step):
                pages[int.from_bytes(raw[at : at + 4])] = raw[at + FRAME : at + step]
            place, size = found, told
    return Taken(pages, size, place) if size else None


def _frames(raw: bytes, place: Place) -> tuple[int, Place | None, int]:
    """How many frames end with the last commit in these bytes, the place behind it, and the pages after it."""
    step = FRAME + place.page
    heads = [struct.unpack_from(">6I", raw, at) for at in range(0, len(raw), step)]
    mine = next((n for n, head in enumerate(heads) if head[2:4] != place.salts), len(heads))
    if not mine:
        return 0, None, 0
    table = np.frombuffer(raw, np.uint8, mine * step).reshape(mine, step)
    summed = np.concatenate([table[:, :8], table[:, FRAME:]], axis=1)
    sums = _sums(place, np.ascontiguousarray(summed).view(f"{place.order}u4").astype(np.uint32))
    found: tuple[int, Place | None, int] = 0, None, 0
    for number, (head, told) in enumerate(zip(heads, sums, strict=False), 1):
        if head[4:6] != told:
            break
        if head[1]:
            found = number, msgspec.structs.replace(place, frame=place.frame + number, sums=told), head[1]
    return found


def _sums(place: Place, words: _Words) -> list[tuple[int, int]]:
    """The running checksum behind each row of words."""
    factors, power = _factors(words.shape[1] // 2)
    parts = words @ factors
    first, second = place.sums
    found = []
    for one, two in parts.tolist():
        first, second = (
            (power[0] * first + power[1] * second + one) % _WORD,
            (power[2] * first + power[3] * second + two) % _WORD,
        )
        found.append((first, second))
    return found


@lru_cache(maxsize=8)
def _factors(pairs: int) -> tuple[_Words, tuple[int, int, int, int]]:
    """What each word counts in the checksum of so many pairs, and what the checksum before counts.

    A pair (x, y) takes the sums (a, b) to (a + b + x, a + 2b + x + y): linear, so that a row is one product.
    """
    factors: Any = np.zeros((2 * pairs, 2), np.uint32)
    a, b, c, d = 1, 0, 0, 1
    for at in reversed(range(pairs)):
        factors[2 * at] = (a + b) % _WORD, (c + d) % _WORD
        factors[2 * at + 1] = b, d
        a, b, c, d = (a + b) % _WORD, (a + 2 * b) % _WORD, (c + d) % _WORD, (c + 2 * d) % _WORD
    return factors, (a, b, c, d)
