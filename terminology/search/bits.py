"""Sets of concepts as whole numbers: bit r stands for the concept of rank r, the best has rank 0.

What two sets share is `a & b`, how many it is `a.bit_count()`, and the first bits are the best concepts. A set of
100,000 is 12 KB and met in about a microsecond.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator

_CHUNK = 192  # bytes that are looked at together
_WORTH = 256  # bytes from which on deflating is tried


def width(size: int) -> int:
    """The bytes that a set over `size` ranks takes."""
    return (size + 7) >> 3


def of(those: Iterable[int], size: int) -> int:
    """The set of these ranks."""
    flags = bytearray(width(size))
    for rank in those:
        flags[rank >> 3] |= 1 << (rank & 7)
    return int.from_bytes(flags, "little")


def pack(found: int, size: int) -> bytes:
    """A set as bytes: the shorter of a list of uint32 and a bitmap, deflated where that pays."""
    if 4 * found.bit_count() < width(size):
        return _packed(array("I", ranks(found, size)).tobytes(), listed=True)
    return _packed(found.to_bytes(width(size), "little"), listed=False)


def pack_ranks(those: Collection[int], size: int) -> bytes:
    """The same of ranks in any order, each once."""
    if 4 * len(those) < width(size):
        return _packed(array("I", sorted(those)).tobytes(), listed=True)
    return _packed(of(those, size).to_bytes(width(size), "little"), listed=False)


def _packed(plain: bytes, *, listed: bool) -> bytes:
    small = zlib.compress(plain, 1) if len(plain) > _WORTH else plain
    if 4 * len(small) >= 3 * len(plain):
        return (b"l" if listed else b"b") + plain
    return (b"L" if listed else b"B") + small


def unpack(packed: bytes, size: int) -> int:
    """The set that `pack` made."""
    return gathered((packed,), size)


def gathered(packed: Iterable[bytes], size: int) -> int:
    """All that is in any of some sets that `pack` made."""
    found = 0
    listed = array("I")
    for one in packed:
        form, plain = one[:1], one[1:]
        if form in b"LB":
            plain = zlib.decompress(plain)
        if form in b"bB":
            found |= int.from_bytes(plain, "little")
        else:
            listed.frombytes(plain)
    return found | of(listed, size) if listed else found


def ranks(bits: int, size: int, skip: int = 0) -> Iterator[int]:
    """The ranks in a set, best first, without the first `skip`."""
    data = bits.to_bytes(width(size), "little") if bits else b""
    for at in range(0, len(data), _CHUNK):
        chunk = int.from_bytes(data[at : at + _CHUNK], "little")
        if not chunk:
            continue
        if skip and (held := chunk.bit_count()) <= skip:
            skip -= held
            continue
        while chunk:
            lowest = chunk & -chunk
            chunk ^= lowest
            if skip:
                skip -= 1
            else:
                yield at * 8 + lowest.bit_length() - 1
