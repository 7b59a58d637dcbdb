"""The audit chain: each row of events has a hash that covers the one before it, so that nothing goes without a trace.

https://doi.org/10.1007/BF00196791 (Haber and Stornetta: how to time-stamp a digital document)
https://www.rfc-editor.org/rfc/rfc7464 (what stands between the events of a row)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from .driver import Driver

GENESIS = bytes(32)
"""The hash before the first row."""

BLOCK = 1024
"""Events that share their keys: a key is kept once for all events of a block that it finds. No row is in two blocks."""

PRINT = 6
"""Bytes of an event's own hash that its row and a checkpoint keep, so that it is told which event was meddled with."""

SPAN = 60_000_000
"""Microseconds between the first and the last event of a row at most, so that rows are found by the time of one."""

BETWEEN = b"\x1e"
"""What stands between the events of a row: JSON has none of it."""

_KEY = "INSERT INTO audit_key (key, block) VALUES (?, ?) ON CONFLICT (key, block) DO NOTHING"
_HEAD = "SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1"


class Line(msgspec.Struct, frozen=True, gc=False):
    """An event that is to be chained: when (microseconds), its bytes, what finds it."""

    at: int
    data: bytes
    keys: tuple[str, ...]


class Chained(NamedTuple):
    """A row of the chain: some events that were appended together."""

    seq: int
    """The number of the last of them."""

    events: int
    at: int
    """The earliest time that one of them tells, in microseconds."""

    hash: bytes
    prints: bytes
    """PRINT bytes for each."""

    data: bytes


def leaf(data: bytes) -> bytes:
    """The hash of an event's own bytes."""
    return sha256(data).digest()


def link(before: bytes, leaves: Sequence[bytes]) -> bytes:
    """The hash of a row with such events that follows another."""
    return sha256(before + b"".join(leaves)).digest()


def chain(seq: int, before: bytes, lines: Sequence[Line]) -> Chained:
    """The row of some events that ends with number `seq` and follows a hash."""
    leaves = [leaf(line.data) for line in lines]
    prints = b"".join([one[:PRINT] for one in leaves])
    data = BETWEEN.join([line.data for line in lines])
    return Chained(seq, len(lines), min([line.at for line in lines]), link(before, leaves), prints, data)


def append(driver: Driver, lines: Sequence[Line]) -> int:
    """Chain events in their order, in the transaction that is open; the number of the last.

    Whoever appends waits for the others until the commit: it is the last thing a transaction does.
    """
    driver.queue_up()
    head = driver.query(_HEAD)
    seq, hash_ = (int(head[0][0]), bytes(head[0][1])) if head else (0, GENESIS)
    rows: list[Chained] = []
    keys: dict[int, set[str]] = {}
    for some in _together(lines, seq + 1):
        seq += len(some)
        rows.append(chain(seq, hash_, some))
        hash_ = rows[-1].hash
        keys.setdefault(seq // BLOCK, set()).update(*[line.keys for line in some])
    driver.insert("audit_event", rows)
    if named := [(key, block) for block in keys for key in keys[block]]:
        driver.run_many(_KEY, sorted(named))
    return seq


def _together(lines: Sequence[Line], first: int) -> Iterator[Sequence[Line]]:
    """Events that stand in one row: of one block, and not far from each other in time. `first` numbers the first."""
    begin = 0
    while begin < len(lines):
        end = min(len(lines), begin + BLOCK - (first + begin) % BLOCK)
        times = [line.at for line in lines[begin:end]]
        if max(times) - min(times) > SPAN:
            end = begin + _within_span(times)
        yield lines[begin:end]
        begin = end


def _within_span(times: Sequence[int]) -> int:
    """How many of the first lie within the span."""
    low = high = times[0]
    for number, at in enumerate(times):
        low, high = min(low, at), max(high, at)
        if high - low > SPAN:
            return number
    return len(times)
