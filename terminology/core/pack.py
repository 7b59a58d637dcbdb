"""One file of compressed blocks: a reader decodes the block that holds what it asks for and no other.

Layout: the length of the index in four bytes, the index, the blocks; each part is JSON under zlib. The index names for
each code system and value set its block and its place there, and the OIDs of code systems.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from terminology.code_system import CodeSystem

FILE = Path(__file__).parent / "data" / "core.z"
BLOCK = 100_000  # bytes before compression
KEPT = 8  # decoded blocks that stay in memory

Json = dict[str, Any]
Place = tuple[int, int]


class _Index(msgspec.Struct):
    blocks: list[int]  # their lengths
    systems: dict[str, Place]
    sets: dict[str, Place]
    oids: dict[str, str] = {}  # URN of an OID → URL of the code system


class Core:
    """What a file holds. Reading is thread-safe: nothing is kept between calls but immutable values."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        start = 4 + int.from_bytes(raw[:4], "big")
        self._index = msgspec.json.decode(zlib.decompress(raw[4:start]), type=_Index)
        self._blocks: list[bytes] = []
        for length in self._index.blocks:
            self._blocks.append(raw[start : start + length])
            start += length
        self._items = lru_cache(KEPT)(self._decode)
        self.code_system = lru_cache(256)(self._code_system)

    @property
    def systems(self) -> Iterable[str]:
        """The URLs of the code systems."""
        return self._index.systems.keys()

    @property
    def sets(self) -> Iterable[str]:
        """The URLs of the value sets."""
        return self._index.sets.keys()

    @property
    def oids(self) -> Mapping[str, str]:
        """The URLs of code systems by the URNs of their OIDs."""
        return self._index.oids

    def _code_system(self, url: str) -> CodeSystem | None:
        """The code system of a URL."""
        place = self._index.systems.get(url)
        return place and msgspec.json.decode(self._items(place[0])[place[1]], type=CodeSystem)

    def value_set(self, url: str) -> Json | None:
        """The ValueSet resource of a URL."""
        place = self._index.sets.get(url)
        return place and msgspec.json.decode(self._items(place[0])[place[1]])

    def _decode(self, block: int) -> list[msgspec.Raw]:
        return msgspec.json.decode(zlib.decompress(self._blocks[block]), type=list[msgspec.Raw])


@cache
def core() -> Core:
    """The file of the package, opened once per process."""
    return Core(FILE)


def write(path: Path, systems: Iterable[CodeSystem], sets: Iterable[Json], oids: Mapping[str, str]) -> None:
    """Write a file; the order of what is given is kept, so that what is alike lies together."""
    index = _Index([], {}, {}, dict(oids))
    blocks: list[bytes] = []
    items: list[bytes] = []

    def flush() -> None:
        if items:
            blocks.append(zlib.compress(b"[" + b",".join(items) + b"]", 9))
            items.clear()

    def put(value: Any) -> Place:
        items.append(msgspec.json.encode(value))
        place = len(blocks), len(items) - 1
        if sum(map(len, items)) > BLOCK:
            flush()
        return place

    for system in systems:
        index.systems[system.url] = put(system)
    flush()
    for one in sets:
        index.sets[one["url"]] = put(one)
    flush()
    index.blocks = [len(block) for block in blocks]
    path.write_bytes(_joined(zlib.compress(msgspec.json.encode(index), 9), blocks))


def _joined(index: bytes, blocks: Sequence[bytes]) -> bytes:
    return b"".join((len(index).to_bytes(4, "big"), index, *blocks))
