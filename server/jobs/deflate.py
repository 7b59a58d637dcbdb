"""Pieces of one gzip file, packed apart and joined without unpacking (https://www.rfc-editor.org/rfc/rfc1952).

Many clients read only the first member of a gzip file with several; so the pieces are blocks of one member, whose CRC
follows from theirs.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import cache

LEVEL = 6
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
TAIL_SIZE = 10
_LAST_BLOCK = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320


def pack(text: bytes) -> bytes:
    """Blocks that end on a byte and need nothing of what came before; the same text gives the same bytes."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return deflate.compress(text) + deflate.flush(zlib.Z_FULL_FLUSH)


def unpack(body: bytes) -> bytes:
    """The text of such blocks."""
    return zlib.decompressobj(-15).decompress(body)


def tail(pieces: Iterable[tuple[int, int]]) -> bytes:
    """The end of the file whose pieces have these CRCs and sizes."""
    crc, total = 0, 0
    for piece, size in pieces:
        crc = join(crc, piece, size)
        total += size
    return _LAST_BLOCK + crc.to_bytes(4, "little") + (total & 0xFFFFFFFF).to_bytes(4, "little")


def join(first: int, second: int, size: int) -> int:
    """The CRC of two texts one after the other, from theirs and the size of the second."""
    shift, power = 1 << 31, 3  # x^0, and the exponent counts bytes
    while size:
        if size & 1:
            shift = _multiply(_power(power), shift)
        size >>= 1
        power += 1
    return _multiply(shift, first) ^ second


@cache
def _power(exponent: int) -> int:
    """x to the power of 2^exponent, modulo the polynomial, bits reversed."""
    if exponent == 0:
        return 1 << 30
    half = _power(exponent - 1)
    return _multiply(half, half)


def _multiply(a: int, b: int) -> int:
    """The product of two polynomials modulo that of the CRC, bits reversed."""
    product, bit = 0, 1 << 31
    while bit:
        if a & bit:
            product ^= b
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
        bit >>= 1
    return product
