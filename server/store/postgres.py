"""PostgreSQL through psycopg 3: pipelined statements and COPY for index rows (https://www.psycopg.org/psycopg3/docs/)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import errors
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from .driver import REPLACE, Driver, QueryTimeout, Reader, columns, insert_sql

TOGETHER = 16
"""Rows that are inserted by one statement where there is no COPY, as its table is not one of ours."""

_INSERT = re.compile(r"(INSERT INTO [^?]+ VALUES )(\((?:\?, )*\?\))")
_REPLACE_ALL = (
    "WITH held AS (SELECT rid FROM resource WHERE rid = ANY(%s::bigint[]) ORDER BY rid FOR UPDATE)"
    " UPDATE resource SET version=n.version, updated=n.updated, change=n.change, patient=n.patient, body=n.body"
    " FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::bigint[], %s::int[])"
    " AS n(version, updated, change, patient, body, rid, old), held"
    " WHERE held.rid = n.rid AND resource.rid = n.rid AND resource.version = n.old"
)
"""The rows are locked in one order first: an UPDATE takes them in the order of its plan, and two would deadlock."""

LOCK_SPACE = 0x66686972
LOCKS = 1024
"""Names share this many locks, as the database has room for some thousands; two that meet only wait for each other."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": None})


@lru_cache(maxsize=4096)
def marked(sql: str) -> str:
    """The statement with psycopg's parameter marks; our SQL holds no literal `%` or `?`."""
    return sql.replace("?", "%s")


def _prepare(raw: psycopg.Connection[Any]) -> None:
    raw.adapters.register_dumper(int, Int8Dumper)
    raw.prepare_threshold = 2
    raw.prepared_max = 500


def make_engine(url: URL) -> Engine:
    """An engine over psycopg 3, whatever driver the URL names."""
    return create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)


def _copy_line(row: Sequence[Any]) -> str:
    return "\t".join(
        [
            "\\N"
            if value is None
            else value.translate(_ESCAPES)
            if type(value) is str
            else f"\\\\x{value.hex()}"
            if type(value) is bytes
            else repr(value)
            for value in row
        ]
    )


class PostgresDriver(Driver):
    """The writer's connection."""

    failures = (psycopg.Error,)
    contended = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
    transient = (*contended, errors.InFailedSqlTransaction, psycopg.OperationalError)

    def __init__(self, connection: Connection) -> None:
        raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        _prepare(raw)
        self._cursor = raw.cursor(binary=True)
        self._raw = raw

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return self._cursor.execute(marked(sql), params).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement that writes."""
        return self._cursor.execute(marked(sql), params).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement for each row; rows to be inserted go together, in a few statements."""
        count, at = 0, 0
        if len(rows) >= TOGETHER and (found := _INSERT.fullmatch(sql)):
            several = marked(found[1] + ", ".join([found[2]] * TOGETHER))
            while len(rows) - at >= TOGETHER:
                part = rows[at : at + TOGETHER]
                count += self._cursor.execute(several, [value for row in part for value in row]).rowcount
                at += TOGETHER
        if at < len(rows):
            self._cursor.executemany(marked(sql), rows[at:])
            count += self._cursor.rowcount
        return count

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert whole rows."""
        if len(rows) == 1 and table in ("resource", "history"):
            self._cursor.execute(marked(insert_sql(table)), rows[0])
        else:
            with self._cursor.copy(f"COPY {table} ({', '.join(columns(table))}) FROM STDIN") as copy:
                copy.write("\n".join([_copy_line(row) for row in rows]) + "\n")

    def replace(self, rows: Sequence[Sequence[Any]]) -> int:
        """Put new versions in place, in one statement."""
        if len(rows) == 1:
            return self.run(REPLACE, rows[0])
        values = [list(column) for column in zip(*rows, strict=True)]
        return self._cursor.execute(_REPLACE_ALL, [values[5], *values]).rowcount

    def delete_index(self, table: str, rids: Sequence[int]) -> None:
        """Remove the index rows of resources."""
        self._cursor.execute(f"DELETE FROM {table} WHERE rid = ANY(%s::bigint[])", (list(rids),))

    def fetch(self, keys: Iterable[tuple[str, str]], sql: str, *, lock: bool) -> list[tuple[Any, ...]]:
        """The current versions of many resources."""
        types, ids = zip(*keys, strict=True)
        where = "WHERE (type, id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
        locked = "ORDER BY rid FOR UPDATE OF resource" if lock else ""
        return self._cursor.execute(f"{sql} {where} {locked}", (list(types), list(ids))).fetchall()

    def lock(self, names: Iterable[str]) -> None:
        """Take advisory locks that end with the transaction, in the same order everywhere."""
        keys = {int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big") % LOCKS for name in names}
        statement = "SELECT pg_advisory_xact_lock(%s::int, k::int) FROM unnest(%s::bigint[]) k"
        self._cursor.execute(statement, (LOCK_SPACE, sorted(keys)))


class PostgresReader(Reader):
    """A connection for each thread that reads, in autocommit; a lost connection is opened again once."""

    def __init__(self, url: URL, timeout: float) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._options = f"-c statement_timeout={int(timeout * 1000)} -c default_transaction_read_only=on -c jit=off"
        self._local = threading.local()
        self._open: list[psycopg.Connection[Any]] = []
        self._lock = threading.Lock()

    def _cursor(self) -> psycopg.Cursor[Any]:
        cursor: psycopg.Cursor[Any] | None = getattr(self._local, "cursor", None)
        if cursor is None or cursor.connection.closed:
            raw = psycopg.connect(self._dsn, autocommit=True, options=self._options)
            _prepare(raw)
            cursor = raw.cursor(binary=True)
            self._local.cursor = cursor
            with self._lock:
                self._open = [known for known in self._open if not known.closed]
                self._open.append(raw)
        return cursor

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        statement = marked(sql)
        cursor = self._cursor()
        try:
            return cursor.execute(statement, params).fetchall()
        except errors.QueryCanceled:
            raise QueryTimeout from None
        except psycopg.OperationalError:
            if not cursor.connection.closed:
                raise
            return self._cursor().execute(statement, params).fetchall()

    def get(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a lookup by key."""
        return self.query(sql, params)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
