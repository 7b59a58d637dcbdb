"""PostgreSQL through psycopg 3: pipelined statements and COPY for index rows (https://www.psycopg.org/psycopg3/docs/)."""

from __future__ import annotations

import re
import secrets
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

from fhir_profiles.errors import Category, FhirError

from .driver import REPLACE, Driver, QueryTimeout, Reader, columns, insert_sql
from .pooler import is_pooled, without_mark

TOGETHER = 64
"""Rows that are inserted by one statement where there is no COPY, as its table is not one of ours."""

_INSERT = re.compile(r"(INSERT INTO [^?]+ VALUES )(\((?:\?, )*\?\))( ON CONFLICT [^?]+ DO NOTHING)?")
_REPLACE_ALL = (
    "WITH held AS (SELECT rid FROM resource WHERE rid = ANY(%s::bigint[]) ORDER BY rid FOR UPDATE)"
    " UPDATE resource SET version=n.version, updated=n.updated, change=n.change, patient=n.patient, body=n.body"
    " FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::bigint[], %s::int[])"
    " AS n(version, updated, change, patient, body, rid, old), held"
    " WHERE held.rid = n.rid AND resource.rid = n.rid AND resource.version = n.old"
)
"""The rows are locked in one order first: an UPDATE takes them in the order of its plan, and two would deadlock."""

LOCK_SPACE = 0x66686972
CHAIN_SPACE = LOCK_SPACE + 1
LOCKS = 1024
"""Names share this many locks, as the database has room for some thousands; two that meet only wait for each other."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": None})


@lru_cache(maxsize=4096)
def marked(sql: str) -> str:
    """The statement with psycopg's parameter marks; our SQL holds no literal `%` or `?`."""
    return sql.replace("?", "%s")


def _prepare(raw: psycopg.Connection[Any]) -> None:
    raw.adapters.register_dumper(int, Int8Dumper)
    if raw.prepare_threshold is not None:  # through a pooler nothing is prepared
        raw.prepare_threshold = 2
        raw.prepared_max = 500


PROCESS = f"fhirwright-{secrets.token_hex(8)}"
"""How the connections of this process are called: whoever takes over from it ends them by that name."""

PATIENCE: dict[str, int | str] = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
    "application_name": PROCESS,
}
"""How soon we notice that the database's machine is gone (seconds; the last in milliseconds)."""

_THEIRS = (
    "-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c tcp_user_timeout=5000"
    " -c client_connection_check_interval=2000"
)
"""How soon the database notices that we are."""


def patient(url: URL) -> URL:
    """A URL whose connections notice within seconds that the other side is gone.

    Through a pooler they say nothing of the session, which it would refuse: who is on its other side is its to notice.
    """
    given = {name: str(value) for name, value in PATIENCE.items() if name not in url.query}
    theirs = {} if "options" in url.query or is_pooled(url) else {"options": _THEIRS}
    return without_mark(url).update_query_dict(given | theirs)


def dsn_of(url: URL) -> str:
    """A URL as psycopg takes it, patient for seconds only."""
    place, _, query = patient(url.set(drivername="postgresql")).render_as_string(hide_password=False).partition("?")
    return f"{place}?{query.replace('+', '%20')}"  # libpq knows no other space


def connect_patiently(dsn: str) -> psycopg.Connection[Any]:
    """A connection in autocommit for short statements, none of which waits for a lock longer than two seconds."""
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute("SET statement_timeout = 3000")
    connection.execute("SET lock_timeout = 2000")
    return connection


CONNECTIONS = 16
"""Connections of one process that read one database; a statement waits for its turn."""


def connecting(url: URL) -> dict[str, Any]:
    """What psycopg is told beside a URL: not to prepare statements in sessions that are nobody's."""
    return {"prepare_threshold": None} if is_pooled(url) else {}


def make_engine(url: URL) -> Engine:
    """An engine over psycopg 3, whatever driver the URL names."""
    place = patient(url.set(drivername="postgresql+psycopg"))
    return create_engine(place, poolclass=NullPool, connect_args=connecting(url))


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
        count = 0
        if found := _INSERT.fullmatch(sql):
            for at in range(0, len(rows), TOGETHER):
                part = rows[at : at + TOGETHER]
                several = marked(found[1] + ", ".join([found[2]] * len(part)) + (found[3] or ""))
                count += self._cursor.execute(several, [value for row in part for value in row]).rowcount
        elif rows:
            self._cursor.executemany(marked(sql), rows)
            count = self._cursor.rowcount
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

    def queue_up(self) -> None:
        """Take the one lock of the chain."""
        asked = "SELECT pg_advisory_xact_lock(%s::int, %s::int), pg_current_xact_id()::text"
        [(_, self.transaction)] = self._cursor.execute(asked, (CHAIN_SPACE, 0)).fetchall()

    def outcome(self, transaction: str) -> str:
        """`committed`, `aborted` or `in progress`."""
        [(found,)] = self._cursor.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchall()
        return str(found)


def away() -> FhirError:
    """503: the database cannot be reached."""
    return FhirError.of(Category.UNAVAILABLE, "transient", "The database cannot be reached; try again later.")


class PostgresReader(Reader):
    """Connections for those who read, in autocommit, no more than `CONNECTIONS`; a lost one is opened again once.

    Threads of many kinds read (requests, deliveries, pages), of every tenant: a connection for each thread would be
    more than a database gives. Through a pooler each statement brings the settings of its transaction along.
    """

    def __init__(self, url: URL, timeout: float) -> None:
        own = {"statement_timeout": str(int(timeout * 1000)), "transaction_read_only": "on", "jit": "off"}
        self._dsn = dsn_of(url)
        self._more = connecting(url)
        self._first = ""
        if is_pooled(url):
            self._first = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in own.items())
        else:
            own["default_transaction_read_only"] = own.pop("transaction_read_only")
            self._more["options"] = " ".join([_THEIRS, *(f"-c {name}={value}" for name, value in own.items())])
        self._free: list[psycopg.Cursor[Any]] = []  # the last one used is the next: it is warm
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._closed = False

    def _connect(self) -> psycopg.Cursor[Any]:
        try:
            raw = psycopg.connect(self._dsn, autocommit=True, **self._more)
        except psycopg.OperationalError as error:
            raise away() from error
        _prepare(raw)
        return raw.cursor(binary=True)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        statement = marked(sql)
        with self._slots:
            try:
                cursor = self._free.pop()
            except IndexError:
                cursor = self._connect()
            try:
                if cursor.connection.closed:
                    cursor = self._connect()
                return self._ask(cursor, statement, params)
            except errors.QueryCanceled:
                raise QueryTimeout from None
            except psycopg.OperationalError:
                if self._first:
                    cursor.connection.close()  # the pooler may tell of its loss before it ends ours
                elif not cursor.connection.closed:
                    raise
                cursor = self._connect()
                try:
                    return self._ask(cursor, statement, params)
                except psycopg.OperationalError as error:
                    raise away() from error
            finally:
                if self._closed or cursor.connection.closed:
                    cursor.connection.close()
                else:
                    self._free.append(cursor)

    def _ask(self, cursor: psycopg.Cursor[Any], statement: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        if not self._first:
            return cursor.execute(statement, params).fetchall()
        with cursor.connection.pipeline():  # one transaction, as there is one Sync
            cursor.connection.execute(self._first)
            cursor.execute(statement, params)
        return cursor.fetchall()

    def get(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a lookup by key."""
        return self.query(sql, params)

    def close(self) -> None:
        """Close every connection; one that is in use closes after its answer."""
        self._closed = True
        while self._free:
            self._free.pop().connection.close()
