"""Pieces that are packed apart make one gzip file."""

from __future__ import annotations

import gzip
import os
import zlib

from server.jobs.deflate import HEAD, TAIL_SIZE, join, pack, tail, unpack


def test_pieces_make_one_member() -> None:
    """A reader that knows one member only gets everything, and the CRC holds."""
    texts = [os.urandom(1000) + b"a" * size for size in (0, 1, 70_000, 5)]
    end = tail((zlib.crc32(text), len(text)) for text in texts)
    file = HEAD + b"".join(map(pack, texts)) + end
    assert gzip.decompress(file) == b"".join(texts)
    assert zlib.decompressobj(31).decompress(file) == b"".join(texts)
    assert len(end) == TAIL_SIZE


def test_a_piece_can_be_read_alone() -> None:
    """A Range needs only the pieces that it touches."""
    assert unpack(pack(b"abc" * 1000)) == b"abc" * 1000


def test_crcs_join() -> None:
    """The CRC of two texts follows from theirs."""
    one, two = os.urandom(999), os.urandom(12_345)
    assert join(zlib.crc32(one), zlib.crc32(two), len(two)) == zlib.crc32(one + two)
    assert join(zlib.crc32(one), zlib.crc32(b""), 0) == zlib.crc32(one)
