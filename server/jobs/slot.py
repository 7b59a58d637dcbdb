"""One live worker per slot, and one process per duty: a lock that dies with its process, `kill -9` included.

SQLite: a POSIX record lock beside the database (not inherited by children, released by the kernel).
PostgreSQL: a lease with a fence (server/jobs/lease.py), which also a process loses that is paused or cut off.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from sqlalchemy.engine import make_url

from fhir_profiles.errors import Category, FhirError
from server.jobs.lease import WORKER, Lease, Query, try_lease
from server.store.postgres import dsn_of

WAIT_SECONDS = 8.0
"""Longer than the lease of a process that was killed lasts."""

_TAKING = threading.Lock()
_taken: dict[Path, int] = {}
"""Files that are locked, and by which process: a fork has the entry and not the lock."""


class Slot:
    """The exclusive right to be worker `number` of a database; `FhirError` BUSY when another process has it."""

    def __init__(self, database_url: str, number: int, wait: float = WAIT_SECONDS) -> None:
        self.number = number
        self._url = make_url(database_url)
        self._file: Any = None
        self._path = Path()
        self._lease: Lease | None = None
        deadline = time.monotonic() + wait
        while not self._try():
            if time.monotonic() >= deadline:
                self.release()
                raise FhirError.of(
                    Category.BUSY,
                    "conflict",
                    f"A worker with slot {number} is running on this database. Stop it or choose another --slot.",
                )
            time.sleep(0.1 if self._is_file else 0.5)

    @property
    def _is_file(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def _try(self) -> bool:
        return self._try_file() if self._is_file else self._try_lease()

    def _try_file(self) -> bool:
        path = Path(f"{self._url.database}.worker-{self.number}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with _TAKING:
            if _taken.get(path) == os.getpid():  # such a lock is its process', and goes when any file of it is closed
                return False
            file = path.open("a+b")
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            _taken[path] = os.getpid()
        file.truncate(0)
        file.write(b"%d\n" % os.getpid())
        file.flush()
        self._path, self._file = path, file
        return True

    def _try_lease(self) -> bool:
        try:
            self._lease = try_lease(dsn_of(self._url), f"{WORKER}{self.number}")
        except psycopg.OperationalError:
            return False
        return self._lease is not None

    def held(self) -> bool:
        """Whether it is surely ours now; False also while the database cannot be asked for long."""
        return self._file is not None if self._is_file else self._lease is not None and self._lease.held()

    def lost(self) -> bool:
        """Whether another has taken it: what is not done by now is no longer ours to do."""
        return self._lease is not None and self._lease.lost.is_set()

    def check(self, query: Query) -> None:
        """Refuse a transaction, given its `query`, unless the slot is ours until the commit (FhirError UNAVAILABLE).

        The lock of a file needs no such fence: it is gone only when its process is.
        """
        if self._lease is not None:
            self._lease.check(query)

    def release(self) -> None:
        """Give the slot back; the next process may take it."""
        if self._file is not None:
            with _TAKING:
                self._file.close()
                del _taken[self._path]
        if self._lease is not None:
            self._lease.release()
        self._file = self._lease = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()
