"""The thread of every process that sees when another is lost: it ends its sessions and queues its jobs again.

Each process that writes to PostgreSQL holds a lease (a worker that of its slot, a server one of its own), so that a
process that was paused in a transaction keeps others waiting for seconds and not for as long as it is paused.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import structlog
from sqlalchemy.engine import make_url

from server.jobs.lease import (
    BEAT_SECONDS,
    Lease,
    end_sessions,
    give_back,
    observer_of,
    queue_again,
    try_lease,
)
from server.store.postgres import PROCESS, connect_patiently, dsn_of

SERVER = "server-"
"""How the lease of a server process is called, before the name of the process."""

log = structlog.get_logger("fhirwright.lease")
_HELD = "SELECT name, fence, beat, holder FROM lease WHERE holder <> ''"
_FREE = "SELECT name FROM lease WHERE holder = '' AND name LIKE 'worker-%'"
_FORGET = "DELETE FROM lease WHERE name = %s AND holder = ''"


class Watch:
    """Looks after the others on one PostgreSQL database; on SQLite, which is one machine's, it does nothing."""

    def __init__(self, database_url: str, *, present: bool = False) -> None:
        """With `present` the process has a lease of its own, as one that has no slot."""
        url = make_url(database_url)
        self._dsn = dsn_of(url) if url.get_backend_name() != "sqlite" else ""
        self._present = present
        self._own: Lease | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._dsn:
            self._thread.start()

    def stop(self) -> None:
        """End; the lease of this process is given back."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * BEAT_SECONDS)
        if self._own is not None:
            self._own.release()

    def _run(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while not self._stop.wait(BEAT_SECONDS):
            try:
                if self._present and (self._own is None or self._own.lost.is_set()):
                    self._own = try_lease(self._dsn, SERVER + PROCESS)
                if connection is None or connection.closed:
                    connection = connect_patiently(self._dsn)
                look(connection, self._dsn)
            except psycopg.Error as error:
                log.warning("watch.away", kind=type(error).__name__)
                if connection is not None:
                    connection.close()
        if connection is not None:
            connection.close()


def look(connection: psycopg.Connection[Any], dsn: str) -> list[str]:
    """Give back what lapsed; the names."""
    rows = connection.execute(_HELD).fetchall()
    holders = {name: holder for name, _, _, holder in rows}
    given = []
    for name, fence, _ in observer_of(dsn).lapsed([row[:3] for row in rows], time.monotonic()):
        end_sessions(connection, holders[name])
        if give_back(connection, name, fence):
            log.warning("lease.lapsed", name=name.partition("-")[0])
            given.append(name)
        if name.startswith(SERVER):
            connection.execute(_FORGET, (name,))
    for (name,) in connection.execute(_FREE).fetchall():  # its worker may have begun something before it knew
        queue_again(connection, name)
    return given
