"""Searches at a streaming replica of PostgreSQL, and never an answer that is older than what was acknowledged.

Before a search the primary is asked how far its log is on disk; the replica answers once it has replayed that far. So
whoever wrote something finds it, whichever process took the write, without a header or a session that tells.
https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import psycopg
import structlog
from prometheus_client import Counter
from sqlalchemy.engine import make_url

from fhir_profiles.errors import FhirError

from .driver import QueryTimeout, Reader
from .postgres import connecting, dsn_of

PATIENCE = 0.02
"""Seconds that a search waits for the replica before the primary answers it."""
REST = 5.0
"""Seconds for which a replica that failed is not asked."""

READS = Counter("fhirwright_replica_reads_total", "Searches with a replica configured, by who answered.", ["by"])

_WRITTEN = "SELECT pg_current_wal_flush_lsn()::text"
_REPLAYED = "SELECT pg_last_wal_replay_lsn() >= ?::pg_lsn"
_WHOSE = "SELECT system_identifier::text, current_database()::text FROM pg_control_system()"
_STEP = 0.002

log = structlog.get_logger("replica")


def same_database(replica: str | None, database: str | None) -> str | None:
    """Where a replica has the database of another URL, None when there is neither; both lie on one cluster."""
    if replica is None or database is None or not database.startswith("postgresql"):
        return None
    return make_url(replica).set(database=make_url(database).database).render_as_string(hide_password=False)


_FOLLOWS = (
    "SELECT pg_is_in_recovery(), CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0"
    " ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END::float8"
)


def follows(replica: str) -> tuple[bool, float | None]:
    """Whether what answers at a URL is a replica at all, and seconds it is behind; psycopg.Error when nothing does."""
    url = make_url(replica)
    with psycopg.connect(dsn_of(url), **connecting(url)) as connection:
        row = connection.execute(_FOLLOWS).fetchone()
    return (False, None) if row is None else (bool(row[0]), row[1])


class ReplicaReader(Reader):
    """Reads by key at the primary, searches at the replica as soon as it knows all that the primary has confirmed.

    A replica that lags, fails or ends a search for its recovery's sake costs time, never an answer: the primary
    answers. Reads of the process itself (locks, positions, what is next) must not be asked here.
    """

    def __init__(self, primary: Reader, replica: Reader) -> None:
        self._primary, self._replica = primary, replica
        self._rested = 0.0
        self._is_ours = False

    def get(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a lookup by key, from the primary: asking how far the replica is would cost as much."""
        return self._primary.get(sql, params)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT; raises QueryTimeout when it takes longer than the statement timeout."""
        if time.monotonic() >= self._rested:
            try:
                if self._is_up():
                    rows = self._replica.query(sql, params)
                    READS.labels("replica").inc()
                    return rows
                READS.labels("primary, as the replica lags").inc()
            except QueryTimeout:
                raise
            except (psycopg.OperationalError, FhirError) as error:
                if not isinstance(error, psycopg.errors.SerializationFailure):  # which ended one search, for recovery
                    self._rested = time.monotonic() + REST
                    log.warning("replica.rest", seconds=REST, error=type(error).__name__)
                READS.labels("primary, as the replica failed").inc()
        return self._primary.query(sql, params)

    def _is_up(self) -> bool:
        """Whether the replica has replayed, soon enough, what the primary had on disk when this was asked."""
        if not self._is_ours and not self._recognise():
            return False
        written = self._primary.get(_WRITTEN, ())[0][0]
        until = time.monotonic() + PATIENCE
        while not self._replica.get(_REPLAYED, (written,))[0][0]:
            if time.monotonic() >= until:
                return False
            time.sleep(_STEP)
        return True

    def _recognise(self) -> bool:
        """Whether the replica is one of this very database; another one is never asked again."""
        self._is_ours = self._replica.get(_WHOSE, ()) == self._primary.get(_WHOSE, ())
        if not self._is_ours:
            self._rested = math.inf
            log.error("replica.of-another-database")
        return self._is_ours

    def close(self) -> None:
        """Close every connection."""
        self._replica.close()
        self._primary.close()
