"""The tables of the jobs: those of DBOS, in the same database as the resources (https://docs.dbos.dev/python)."""

from __future__ import annotations

import time

from sqlalchemy import URL, create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from server.store import Store, Tx
from server.store.postgres import dsn_of

_LOCK = 0x66686A  # of PostgreSQL: one process migrates, the others wait


def system_url(database_url: str) -> str:
    """The database URL as DBOS takes it."""
    url = make_url(database_url)
    sqlite = url.get_backend_name() == "sqlite"
    return url.set(drivername="sqlite").render_as_string() if sqlite else dsn_of(url)


def prepare(database_url: str, *, upgrade: bool = False) -> None:
    """Create the tables, or with `upgrade` bring them to what the installed DBOS needs.

    Without it a process that finds them does not import DBOS, which costs more than a second.
    """
    url: URL = make_url(database_url)
    sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(url if sqlite else url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    # Without a transaction of ours: DBOS builds indexes concurrently, which waits for every transaction that is open.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if sqlite:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # before DBOS opens it: 5 times the jobs per second
            connection.exec_driver_sql("PRAGMA busy_timeout=30000")
        else:
            # Or one could see half of the tables. Asked again and again, because a statement that waits is open too.
            while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCK})").scalar():
                time.sleep(0.1)
        if upgrade or not inspect(connection).has_table("workflow_status", schema=None if sqlite else "dbos"):
            from dbos import DBOS

            DBOS.migrate(system_url(database_url))


def prune(store: Store, keep_days: int) -> None:
    """Forget the records of jobs that ended more than `keep_days` ago; their Tasks stay."""
    schema = "dbos." if store.dialect == "postgresql" else ""
    before = (int(time.time()) - keep_days * 86_400) * 1000
    ended = store.query(
        f"SELECT workflow_uuid FROM {schema}workflow_status WHERE completed_at < ? LIMIT 10000", (before,)
    )

    def forget(tx: Tx) -> None:
        for row in ended:
            for table, column in _RECORDS:
                tx.execute(f"DELETE FROM {table.format(schema=schema)} WHERE {column} = ?", row)

    if ended:
        store.write_sync(forget)


_RECORDS = (
    ("job_step", "job"),
    ("job_progress", "job"),
    ("{schema}operation_outputs", "workflow_uuid"),
    ("{schema}workflow_input", "workflow_uuid"),
    ("{schema}workflow_output", "workflow_uuid"),
    ("{schema}workflow_status", "workflow_uuid"),
)
