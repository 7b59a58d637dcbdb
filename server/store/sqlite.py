"""SQLite: one file in write-ahead mode, synced in full on every commit (https://sqlite.org/wal.html)."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from .driver import REPLACE, Driver, QueryTimeout, Reader, insert_sql

LOCK_SECONDS = 30
MAPPED_BYTES = 8 << 30
"""How much of the file readers map: address space, not memory. Of a million Observations (2.6 GB) one patient's newest
cost 2.0 ms with 256 MB mapped and 0.4 ms with all of it."""

PRAGMAS = (
    "PRAGMA page_size=8192",  # of a file that is new: a commit writes each changed page with two system calls
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={LOCK_SECONDS * 1000}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-32768",
    "PRAGMA wal_autocheckpoint=4000",  # 32 MB: a page that many commits change goes to the file once
)
_KEYS = "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)"
PROGRESS_STEPS = 20_000  # virtual machine steps between two looks at the clock, about a millisecond


def make_engine(url: URL) -> Engine:
    """An engine whose transactions take the write lock at their start, so that none fails half way."""
    if not url.database or url.database == ":memory:":
        raise ValueError("The SQLite database must be a file: several processes share it.")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, poolclass=NullPool, connect_args={"check_same_thread": False, "timeout": LOCK_SECONDS})

    @event.listens_for(engine, "connect")
    def _connect(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None
        for pragma in PRAGMAS:
            raw.execute(pragma)
        _write_ahead(raw)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _write_ahead(raw: sqlite3.Connection) -> None:
    """Put the file in write-ahead mode.

    Two connections that switch a new file at the same time each wait for the other, and SQLite then refuses one at once
    instead of waiting; the loser tries again.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)


class SqliteDriver(Driver):
    """The writer's connection."""

    failures = (sqlite3.Error,)
    contended = (sqlite3.IntegrityError,)
    transient = (sqlite3.OperationalError, sqlite3.IntegrityError)

    def __init__(self, connection: Connection) -> None:
        self._raw: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return self._raw.execute(sql, params).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement that writes."""
        return self._raw.execute(sql, params).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement for each row."""
        return self._raw.executemany(sql, rows).rowcount

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert whole rows."""
        self._raw.executemany(insert_sql(table), rows)

    def replace(self, rows: Sequence[Sequence[Any]]) -> int:
        """Put new versions in place."""
        return self._raw.executemany(REPLACE, rows).rowcount

    def delete_index(self, table: str, rids: Sequence[int]) -> None:
        """Remove the index rows of resources."""
        self._raw.executemany(f"DELETE FROM {table} WHERE rid = ?", [(rid,) for rid in rids])

    def fetch(self, keys: Iterable[tuple[str, str]], sql: str, *, lock: bool) -> list[tuple[Any, ...]]:  # noqa: ARG002
        """The current versions of many resources; the transaction holds the write lock anyway."""
        wanted = list(keys)
        if len(wanted) == 1:
            return self._raw.execute(f"{sql} WHERE type = ? AND id = ?", wanted[0]).fetchall()
        return self._raw.execute(f"{sql} WHERE (type, id) IN ({_KEYS})", (json.dumps(wanted),)).fetchall()

    def lock(self, names: Iterable[str]) -> None:
        """Nothing to do: the transaction holds the write lock of the whole file."""

    def queue_up(self) -> None:
        """Nothing to do: the transaction holds the write lock of the whole file."""


class SqliteReader(Reader):
    """A connection for each thread that reads; every statement sees the latest commit."""

    inline = True

    def __init__(self, path: str, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, isolation_level=None, timeout=LOCK_SECONDS, check_same_thread=False, cached_statements=512
            )
            for pragma in (*PRAGMAS[2:], "PRAGMA query_only=ON", f"PRAGMA mmap_size={MAPPED_BYTES}"):
                connection.execute(pragma)
            self._local.connection = connection
            with self._lock:
                self._open.append(connection)
        return connection

    def get(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a lookup by key."""
        return self._connection().execute(sql, params).fetchall()

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        connection = self._connection()
        deadline = time.monotonic() + self._timeout
        connection.set_progress_handler(lambda: time.monotonic() > deadline, PROGRESS_STEPS)
        try:
            return connection.execute(sql, params).fetchall()
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise QueryTimeout from None
            raise
        finally:
            connection.set_progress_handler(None, 0)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
