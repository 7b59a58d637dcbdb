"""Which events are asked for: keys tell the blocks that may have some, rows their time, and events themselves the rest.

A block is some thousand events that follow one another; its keys are kept once, and not for each event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from server.search.view import View
from server.store.ledger import BETWEEN, BLOCK

from .event import Head, did, heads_of, keys_of

Keys = tuple[str, ...]
Span = tuple[int, int]
LOOKED = 50
"""What to open a block costs, in events that are rendered."""

AT_ONCE = 50
"""Blocks that are asked for at once."""

EVENTS = 2000
"""Events that are read at once, as far as the rows before tell how many there are in one."""


def everything(_seq: int, _head: Head) -> bool:
    """Any event."""
    return True


class Asked(msgspec.Struct, frozen=True):
    """What events are asked for: one key of each of `keys`, a condition on rows that may have some, one on events."""

    keys: tuple[Keys, ...] = ()
    where: str = ""
    params: tuple[Any, ...] = ()
    fits: Callable[[int, Head], bool] = everything


def spans(view: View, wanted: Sequence[Keys], begin: int, *, rising: bool) -> Iterator[Span]:
    """First and last of the events that may have one key of each, from the event `begin` on, in the order asked for.

    Where no key is wanted they are all there are.
    """
    if not wanted:
        yield (begin, 2**62) if rising else (-(2**62), begin)
        return
    order, compare = ("ASC", ">=") if rising else ("DESC", "<=")
    params = tuple(key for keys in wanted for key in keys)
    parts = [f"SELECT block FROM audit_key WHERE key IN ({', '.join('?' * len(keys)) or 'NULL'})" for keys in wanted]
    where = "".join(f" AND block IN ({part})" for part in parts[1:])
    sql = f"{parts[0]}{where} AND block {compare} ? GROUP BY block ORDER BY block {order} LIMIT {AT_ONCE}"
    at = begin // BLOCK
    while rows := view.query(sql, (*params, at)):
        for (block,) in rows:
            first, last = int(block) * BLOCK, int(block) * BLOCK + BLOCK - 1
            yield (max(first, begin), last) if rising else (first, min(last, begin))
        if len(rows) < AT_ONCE:
            return
        at = int(rows[-1][0]) + (1 if rising else -1)


def found(view: View, asked: Asked, span: Span, *, rising: bool) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of the events of a span that are asked for."""
    order = "ASC" if rising else "DESC"
    within = "position(? IN data)" if view.dialect == "postgresql" else "instr(data, ?)"
    some = [names for keys in asked.keys if all(names := [_in_bytes(key) for key in keys]) or not keys]
    held = "".join(f" AND ({' OR '.join([f'{within} > 0'] * len(one)) or '1 = 0'})" for one in some)
    sql = (
        f"SELECT seq, events, data FROM audit_event WHERE seq >= ? AND seq <= ?{asked.where}{held} "
        f"ORDER BY seq {order} LIMIT ?"
    )
    params = (*asked.params, *(name for one in some for name in one))
    low, high, most = span[0], span[1] | (BLOCK - 1), 2  # the row with the last of them ends in the same block
    while rows := view.query(sql, (low, high, *params, most)):
        for seq, _, data in rows:
            yield from _of_row(int(seq), bytes(data), asked, some, span, rising=rising)
        if len(rows) < most:
            return
        most = max(2, min(500, EVENTS * len(rows) // sum(int(row[1]) for row in rows)))
        low, high = (int(rows[-1][0]) + 1, high) if rising else (low, int(rows[-1][0]) - 1)


def _of_row(
    seq: int, data: bytes, asked: Asked, some: Sequence[Sequence[bytes]], span: Span, *, rising: bool
) -> Iterator[tuple[int, bytes]]:
    """The events of a row that are asked for and lie within a span."""
    kept = data.split(BETWEEN)
    first = seq - len(kept) + 1
    numbered = [
        (number, one)
        for number, one in enumerate(kept, first)
        if span[0] <= number <= span[1] and all(any(name in one for name in names) for names in some)
    ]
    heads = heads_of([one for _, one in numbered])
    chosen = [
        (number, one)
        for (number, one), head in zip(numbered, heads, strict=True)
        if asked.fits(number, head) and _has(head, asked.keys)
    ]
    yield from chosen if rising else reversed(chosen)


def created(view: View, key: str) -> Iterator[tuple[int, bytes]]:
    """The event by which what the key names came to be, where there is one."""
    asked = Asked(keys=((key,), (did("create"),)))
    for span in spans(view, asked.keys, 2**62, rising=False):
        first = next(found(view, asked, span, rising=False), None)
        if first is not None:
            yield first
            return


def _in_bytes(key: str) -> bytes:
    """What the bytes of an event that has a key have in them; nothing where that is a number among others."""
    kind, between, name = key.partition(" ")
    if not between:
        return msgspec.json.encode(key.rpartition("/")[2])
    return b"" if kind == "ended" else msgspec.json.encode(name)


def _has(head: Head, wanted: Sequence[Keys]) -> bool:
    if not wanted:
        return True
    keys = keys_of(head)
    return all(not one.isdisjoint(keys) for one in map(frozenset, wanted))
