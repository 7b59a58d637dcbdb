"""Leases on PostgreSQL: a row that its holder beats, and a fence that voids whoever held it before.

Nobody compares clocks: an observer takes a lease for lapsed when it saw the same beat for `SECONDS` by its own clock
and was never away itself. A holder that was paused may come back after that, so every transaction of its process asks
for the fence under a lock that the taker waits for, and the taker first ends the sessions of the process it replaces.
https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
import structlog

from fhir_profiles.errors import Category, FhirError
from server.store.postgres import PROCESS, connect_patiently

SECONDS = 4.0
"""How long a lease outlives its last beat."""
BEAT_SECONDS = 1.0
_AWAY = 3.0  # an observer that did not look for so long was away itself, and begins anew
WORKER = "worker-"
"""How the lease of a worker's slot is called, before its number."""
EXECUTOR = "slot-"
"""How DBOS calls that worker."""

Query = Callable[..., list[tuple[Any, ...]]]
"""The `query` of a transaction: SQL with `?`, and its parameters."""
Row = tuple[str, int, int]
"""Name, fence, beat."""

log = structlog.get_logger("fhirwright.lease")
_FREE = "INSERT INTO lease (name, holder, fence, beat) VALUES (%s, '', 0, 0) ON CONFLICT DO NOTHING"
_TAKE = (
    "UPDATE lease SET holder = %s, fence = fence + 1, beat = 0"
    " WHERE name = %s AND (holder = '' OR (fence = %s AND beat = %s)) RETURNING fence"
)
_BEAT = "UPDATE lease SET beat = beat + 1 WHERE name = %s AND fence = %s AND holder <> ''"
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid()"
_HOLDS = "SELECT 1 FROM lease WHERE name = ? AND fence = ? AND holder <> '' FOR KEY SHARE"
_AGAIN = (
    "UPDATE dbos.workflow_status SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL,"
    " updated_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    " WHERE status = 'PENDING' AND executor_id = %s AND queue_name IS NOT NULL"
)


class Observer:
    """Judges by one clock which leases have lapsed."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, float]] = {}
        self._looked: dict[str, float] = {}
        self._lock = threading.Lock()

    def lapsed(self, rows: Iterable[Row], now: float) -> list[Row]:
        """Those whose beat stood still for `SECONDS`, by looks that were never far apart."""
        found = []
        with self._lock:
            for name, fence, beat in rows:
                known, looked = self._seen.get(name), self._looked.get(name, now)
                self._looked[name] = now
                if known is None or known[:2] != (fence, beat) or now - looked > _AWAY:
                    self._seen[name] = (fence, beat, now)
                elif now - known[2] >= SECONDS:
                    found.append((name, fence, beat))
        return found


_OBSERVERS: dict[str, Observer] = {}


def observer_of(dsn: str) -> Observer:
    """The one observer of this process for a database: what several see is seen sooner."""
    return _OBSERVERS.setdefault(dsn, Observer())


class Lease:
    """The right to `name`, beaten by a thread of its own until it is released or lost."""

    def __init__(self, dsn: str, name: str, connection: psycopg.Connection[Any], fence: int) -> None:
        self._dsn, self.name, self.fence = dsn, name, fence
        self._connection: psycopg.Connection[Any] | None = connection
        self._stop = threading.Event()
        self.lost = threading.Event()
        """Set once another has it, or may."""
        self._beaten = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"lease-{name}", daemon=True)
        self._thread.start()

    def held(self) -> bool:
        """Whether it is surely ours at this moment: not lost, and beaten within its time."""
        return not self.lost.is_set() and time.monotonic() - self._beaten < SECONDS

    def check(self, query: Query) -> None:
        """Refuse the transaction whose `query` this is, unless the lease is ours until its commit."""
        if self.lost.is_set() or not query(_HOLDS, (self.name, self.fence)):
            self.lost.set()
            raise lost()

    def release(self) -> None:
        """Give it back at once, and what its jobs left behind."""
        self._stop.set()
        self._thread.join(SECONDS)
        try:
            with connect_patiently(self._dsn) as connection:
                give_back(connection, self.name, self.fence)
        except psycopg.Error:
            log.warning("lease.not-released", name=self.name)  # it lapses
        if self._connection is not None:
            self._connection.close()

    def _run(self) -> None:
        while not self._stop.wait(BEAT_SECONDS) and not self.lost.is_set():
            began = time.monotonic()
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = connect_patiently(self._dsn)
                if self._connection.execute(_BEAT, (self.name, self.fence)).rowcount:
                    self._beaten = began
                else:
                    self.lost.set()
            except psycopg.Error:
                if self._connection is not None:
                    self._connection.close()


def lost() -> FhirError:
    """What a process is told that works under a lease that is another's by now."""
    return FhirError.of(Category.UNAVAILABLE, "transient", "Another process has taken over this one's work.")


def try_lease(dsn: str, name: str) -> Lease | None:
    """The lease, when it is free or lapsed; None while another beats it, or may. Call it again every second or so."""
    connection = connect_patiently(dsn)
    try:
        connection.execute(_FREE, (name,))
        [(holder, fence, beat)] = connection.execute(
            "SELECT holder, fence, beat FROM lease WHERE name = %s", (name,)
        ).fetchall()
        if holder and not observer_of(dsn).lapsed([(name, fence, beat)], time.monotonic()):
            connection.close()
            return None
        if holder:
            end_sessions(connection, holder)
        taken = connection.execute(_TAKE, (PROCESS, name, fence, beat)).fetchone()
    except psycopg.Error:
        connection.close()
        raise
    if taken is None:
        connection.close()
        return None
    return Lease(dsn, name, connection, int(taken[0]))


def end_sessions(connection: psycopg.Connection[Any], holder: str) -> None:
    """End what a process that is gone or paused has open: its transactions may hold locks that others wait for."""
    if holder != PROCESS:
        connection.execute(_END, (holder,))


def give_back(connection: psycopg.Connection[Any], name: str, fence: int) -> bool:
    """Free a lease under its fence and queue again what its worker had begun, in one transaction; whether it was so."""
    with connection.transaction():
        found = connection.execute(
            "UPDATE lease SET holder = '', fence = fence + 1 WHERE name = %s AND fence = %s AND holder <> ''",
            (name, fence),
        )
        if not found.rowcount:
            return False
        queue_again(connection, name)
    return True


def queue_again(connection: psycopg.Connection[Any], name: str) -> None:
    """Let the others have what the worker of a free lease had begun."""
    if name.startswith(WORKER):
        connection.execute(_AGAIN, (EXECUTOR + name.removeprefix(WORKER),))
