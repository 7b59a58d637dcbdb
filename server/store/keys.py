"""The integers and ids of the store: short keys for parameters, systems and patients; row ids ordered by time."""

from __future__ import annotations

import os
import time
from collections import deque
from functools import lru_cache
from hashlib import blake2b

INDEXED_LENGTH = 200
"""Characters of a value that go into an index as they are; PostgreSQL caps the size of index rows."""

EPOCH_MS = 1_577_836_800_000  # 2020-01-01, so that milliseconds fit 41 bits until 2089
SEQUENCE_BITS = 12
NODE_BITS = 10


def _digest(text: str, size: int) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest(), "big")


@lru_cache(maxsize=16384)
def param_key(resource_type: str, code: str) -> int:
    """The key of a search parameter of a type: 31 bits, the same in every process without asking the database."""
    return _digest(f"{resource_type}.{code}", 4) & 0x7FFFFFFF


@lru_cache(maxsize=16384)
def system_key(uri: str) -> int:
    """The key of a code system: 63 bits; 0 when there is none."""
    return _digest(uri, 8) >> 1 if uri else 0


@lru_cache(maxsize=16384)
def patient_key(patient_id: str) -> int:
    """The key of a patient: 63 bits of the logical id, so that rows need no lookup of the patient's own row."""
    return _digest(patient_id, 8) >> 1


def indexed(text: str) -> str:
    """The form in which a value of any length stands in an index: equality is kept, and the first characters."""
    if len(text) <= INDEXED_LENGTH:
        return text
    return f"{text[:INDEXED_LENGTH]}#{blake2b(text.encode(), digest_size=16).hexdigest()}"


class RowIds:
    """Row ids that rise with time and do not meet between processes: milliseconds, a random node, a sequence."""

    def __init__(self) -> None:
        self._node = (int.from_bytes(os.urandom(2), "big") & ((1 << NODE_BITS) - 1)) << SEQUENCE_BITS
        self._last = 0
        self._sequence = 0

    def next(self) -> int:
        """A new row id; called by the one writer thread only."""
        now = max(time.time_ns() // 1_000_000 - EPOCH_MS, self._last)
        if now == self._last:
            self._sequence += 1
            if self._sequence >> SEQUENCE_BITS:
                now, self._sequence = now + 1, 0
        else:
            self._sequence = 0
        self._last = now
        return (now << (NODE_BITS + SEQUENCE_BITS)) | self._node | self._sequence


_entropy: deque[bytes] = deque()  # a system call for each id would hand the interpreter to another thread each time
os.register_at_fork(after_in_child=_entropy.clear)


def _random() -> int:
    while True:
        try:
            return int.from_bytes(_entropy.popleft(), "big")
        except IndexError:
            block = os.urandom(10 * 512)
            _entropy.extend(block[at : at + 10] for at in range(0, len(block), 10))


def secret_id() -> str:
    """An id that cannot be guessed, in the shape of a UUID: 128 random bits."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_id() -> str:
    """A new logical id: a UUID version 7, so that ids made later sort later."""
    random = _random()
    value = (
        ((time.time_ns() // 1_000_000) << 80)
        | (0x7 << 76)
        | ((random >> 68) << 64)
        | (0b10 << 62)
        | (random & ((1 << 62) - 1))
    )
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
