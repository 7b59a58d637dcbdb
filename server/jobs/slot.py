"""One live worker per slot: a lock that dies with its process, `kill -9` included.

SQLite: a POSIX record lock beside the database (not inherited by children, released by the kernel).
PostgreSQL: a session advisory lock on a connection of its own (https://www.postgresql.org/docs/current/explicit-locking.html).
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy.engine import make_url

from fhir_profiles.errors import Category, FhirError

_CLASS = 0x66_77_72  # our first key of the two-key advisory lock


class Slot:
    """The exclusive right to be worker `number` of a database; `FhirError` BUSY when another process has it."""

    def __init__(self, database_url: str, number: int, wait: float = 5.0) -> None:
        self.number = number
        self._url = make_url(database_url)
        self._file: Any = None
        self._connection: Any = None
        deadline = time.monotonic() + wait
        while not self._try():
            if time.monotonic() >= deadline:
                self.release()
                raise FhirError.of(
                    Category.BUSY,
                    "conflict",
                    f"A worker with slot {number} is running on this database. Stop it or choose another --slot.",
                )
            time.sleep(0.1)

    def _try(self) -> bool:
        return self._try_file() if self._url.get_backend_name() == "sqlite" else self._try_session()

    def _try_file(self) -> bool:
        path = Path(f"{self._url.database}.worker-{self.number}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._file or path.open("a+b")
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        self._file.truncate(0)
        self._file.write(b"%d\n" % os.getpid())
        self._file.flush()
        return True

    def _try_session(self) -> bool:
        import psycopg

        if self._connection is None:
            # Keep-alives let the server notice within seconds that a machine is gone.
            self._connection = psycopg.connect(
                self._url.set(drivername="postgresql").render_as_string(hide_password=False),
                autocommit=True,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
            )
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_CLASS, self.number)).fetchone()
        return bool(row and row[0])

    def held(self) -> bool:
        """Whether the lock still stands; False when the connection that carried it is gone."""
        if self._connection is None:
            return self._file is not None
        import psycopg

        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def release(self) -> None:
        """Give the slot back; the next process may take it."""
        if self._file is not None:
            self._file.close()
        if self._connection is not None:
            self._connection.close()
        self._file = self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()
