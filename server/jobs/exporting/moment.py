"""The moment of an export: every write up to it has been committed, and can be seen, when this returns."""

from __future__ import annotations

import time

from server.store import Store

_MARGIN = 1.0  # between a write taking its time and its first statement
_LONGEST = 60.0
_RUNNING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND xact_start < to_timestamp(?) AND backend_type = 'client backend'"
)


def settled_moment(store: Store) -> int:
    """Now in microseconds, in whole milliseconds, once nothing can be written any more with a time up to it.

    A write takes its time inside its transaction. SQLite has one such transaction at a time, so that one of ours comes
    after all of them; on PostgreSQL we wait for those that run.
    """
    milliseconds = time.time_ns() // 1_000_000
    if store.dialect == "sqlite":
        while time.time_ns() // 1_000_000 <= milliseconds:
            time.sleep(0.0005)
        store.write_sync(lambda tx: tx.flush())
        return milliseconds * 1000
    time.sleep(_MARGIN)
    before = milliseconds / 1000 + _MARGIN
    deadline = time.monotonic() + _LONGEST
    while store.query(_RUNNING, (before,))[0][0] and time.monotonic() < deadline:
        time.sleep(0.1)
    return milliseconds * 1000
