"""A base backup of a PostgreSQL cluster with the log up to a named point whose contents are told exactly.

The point is set while the tables of resources and of the audit are held for a moment, in which a snapshot is taken:
what the snapshot shows is what recovery to that point brings back.
https://www.postgresql.org/docs/current/continuous-archiving.html
"""

from __future__ import annotations

import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from fhir_profiles.errors import Category, FhirError

from .postgres_tools import Tools

LOG, BASE = "log", "base.tar"
WAIT_SECONDS = 60.0
LOCK_MILLISECONDS = 2000
ATTEMPTS = 30
_HOLD = "LOCK TABLE resource, history, audit_event IN SHARE MODE"
_SLOT = "SELECT pg_create_physical_replication_slot(%s, true, true)"
_SPACES = "SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')"


class Snapshot:
    """Reads one moment of a database."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self._raw = raw

    def __call__(self, sql: str) -> Iterator[Sequence[Any]]:
        """The rows of a SELECT, some at a time."""
        with self._raw.cursor("rows") as cursor:
            cursor.itersize = 2000
            yield from cursor.execute(sql.encode())


def plain(url: str) -> str:
    """The URL as PostgreSQL's programs take it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def connect(url: str, **more: Any) -> psycopg.Connection[Any]:
    """A connection; FhirError when the database cannot be reached."""
    try:
        return psycopg.connect(plain(url), **more)
    except psycopg.OperationalError:
        text = "The database cannot be reached, or does not let this user in."
        raise FhirError.of(Category.UNAVAILABLE, "transient", text) from None


def size_of(url: str) -> int:
    """Bytes of the whole cluster; FhirError where parts of it lie in tablespaces, which restoring could not place."""
    with connect(url) as raw:
        [(spaces,)] = raw.execute(_SPACES).fetchall()
        [(size,)] = raw.execute("SELECT sum(pg_database_size(oid)) FROM pg_database").fetchall()
    if spaces:
        text = "The cluster has tablespaces of its own: use pg_basebackup with --tablespace-mapping by hand."
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
    return int(size)


def identity(url: str) -> str:
    """The name of the cluster and of its present line of history."""
    with connect(url) as raw:
        [(system, line)] = raw.execute(
            "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()"
        ).fetchall()
    return f"{system}-{line}"


@contextmanager
def logging(tools: Tools, url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have the log written to a folder as it grows, by pg_receivewal.

    A slot that goes with our connection keeps the database from removing what was not received yet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with closing(connect(url, autocommit=True)) as holding:
        holding.execute(_SLOT, (f"fhirwright_{secrets.token_hex(8)}",))
        process = tools.start("pg_receivewal", ["-D", str(folder), "-d", plain(url), "--no-loop", "--no-sync"])
        try:
            _wait(lambda: any(folder.iterdir()), process)
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(WAIT_SECONDS)


def copy(tools: Tools, url: str, work: Path) -> None:
    """Copy the cluster's files into `work`, as they are read while others write: the log makes them whole."""
    tools.run("pg_basebackup", "-D", str(work), "-d", plain(url), "-Ft", "-X", "none", "-c", "fast", "--no-sync")


@contextmanager
def point(url: str, name: str) -> Iterator[tuple[Snapshot, str, int]]:
    """Set the point of this name: what there is at it, its place in the log, and its time in microseconds."""
    with closing(connect(url)) as holding, closing(connect(url)) as reading:
        reading.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        _hold(holding)
        [(place,)] = reading.execute("SELECT pg_create_restore_point(%s)::text", (name,)).fetchall()
        at = time.time_ns() // 1000
        holding.rollback()
        yield Snapshot(reading), str(place), at


def _hold(raw: psycopg.Connection[Any]) -> None:
    """Keep writers away for the moment, without making them wait long behind one that takes its time."""
    for attempt in range(ATTEMPTS):
        try:
            raw.execute("SELECT set_config('lock_timeout', %s, false)", (str(LOCK_MILLISECONDS),))
            raw.execute(_HOLD)
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            raw.rollback()
            time.sleep(0.1 * attempt)
    text = "A transaction of the database has been writing for too long to set the backup's point; try again later."
    raise FhirError.of(Category.BUSY, "lock-error", text)


def finish(url: str, folder: Path, process: subprocess.Popen[bytes], place: str) -> None:
    """Wait until the log in the folder holds a place, as a whole segment."""
    with connect(url, autocommit=True) as raw:
        [(segment,)] = raw.execute("SELECT pg_walfile_name(%s::pg_lsn)", (place,)).fetchall()
        raw.execute("SELECT pg_switch_wal()")
    _wait(lambda: (folder / segment).is_file(), process)


def _wait(done: Any, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not done():
        if process.poll() is not None or time.monotonic() > until:
            text = "The log of the database cannot be received: its user needs REPLICATION, and pg_hba.conf a line."
            raise FhirError.of(Category.UNAVAILABLE, "exception", text)
        time.sleep(0.02)
