"""The chain as it stands in the database, in its order: its rows, and the events in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from server.search.view import View
from server.store import Store
from server.store.ledger import BETWEEN, Chained

AT_ONCE = 100
"""Rows that are read at once; each has some hundred KB at most."""

COLUMNS = "seq, events, at, hash, prints, data"
_ROWS = f"SELECT {COLUMNS} FROM audit_event WHERE seq > ? ORDER BY seq LIMIT {AT_ONCE}"
_ROW = f"SELECT {COLUMNS} FROM audit_event WHERE seq >= ? ORDER BY seq LIMIT 1"


def row_of(raw: Any) -> Chained:
    """A row from its columns."""
    seq, events, at, hash_, prints, data = raw
    return Chained(int(seq), int(events), int(at), bytes(hash_), bytes(prints), bytes(data))


def rows_of(store: Store) -> Iterator[Chained]:
    """All rows."""
    at = -(2**62)
    while rows := store.query(_ROWS, (at,)):
        for raw in rows:
            yield row_of(raw)
        at = int(rows[-1][0])


def within(row: Chained) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of the events of a row."""
    kept = row.data.split(BETWEEN)
    return zip(range(row.seq - len(kept) + 1, row.seq + 1), kept, strict=True)


def events_of(store: Store) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of all events."""
    for row in rows_of(store):
        yield from within(row)


def event_at(view: View, seq: int) -> bytes | None:
    """The bytes of the event of a number; None where there is none."""
    rows = view.query(_ROW, (seq,))
    return dict(within(row_of(rows[0]))).get(seq) if rows else None
