"""One resource as a store of its own: what a search says about exactly this version, whatever the database holds now.

The same schema and the same compiled queries over a SQLite database in memory.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import create_mock_engine

from .driver import insert_sql
from .schema import INDEX_TABLES, metadata
from .sealing import sealing_of
from .version import Rows, Version

_TABLES = ("resource", *(table.name for table in INDEX_TABLES))


class Alone:
    """A View over one version; put another one in with `hold`. For one thread."""

    dialect = "sqlite"

    def __init__(self) -> None:
        self.engine: object = None
        self._raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=512)
        mock = create_mock_engine("sqlite://", self._create)
        metadata.create_all(mock, checkfirst=False)

    def _create(self, statement: Any, *_: Any, **__: Any) -> None:
        from sqlalchemy.dialects import sqlite

        self._raw.execute(str(statement.compile(dialect=sqlite.dialect())))

    def hold(self, version: Version, rows: Rows, beside: Iterable[tuple[Version, Rows]] = ()) -> None:
        """Be the store that holds this version, others `beside` it, and nothing else."""
        raw, sealing = self._raw, sealing_of(self.engine)
        raw.execute("BEGIN")
        for table in _TABLES:
            raw.execute(f"DELETE FROM {table}")
        for one, its in ((version, rows), *beside):
            raw.execute(insert_sql("resource"), _row(one))
            seen = its if sealing is None else sealing.blind.rows(its, one.type)  # whose conditions ask for hashes
            for table, values in seen.items():
                raw.executemany(insert_sql(table), [(one.rid, n, *value) for n, value in enumerate(values)])
        raw.execute("COMMIT")

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return self._raw.execute(sql, params).fetchall()

    def read(self, resource_type: str, resource_id: str, where: str = "", params: Sequence[Any] = ()) -> Version | None:
        """The version, if it is of this resource; with a condition on `v.rid` only where that holds."""
        sql = f"SELECT {_NAMES} FROM resource v WHERE type = ? AND id = ?{' AND ' if where else ''}{where}"
        found = self.query(sql, (resource_type, resource_id, *params))
        return Version(*found[0]) if found else None

    def versions(self, rows: Sequence[Sequence[Any]]) -> list[Version]:
        """Versions from rows in the order of their columns."""
        return [Version(*row) for row in rows]

    def body(self, kind: str, name: str, version: int, data: bytes) -> bytes:  # noqa: ARG002 - nothing is sealed here
        """The body of a version."""
        return data

    def read_version(self, current: Version, version: int) -> Version | None:
        """The version, if it is this one."""
        return current if current.version == version else None


_NAMES = "rid, type, id, version, updated, change, patient, body"
_local = threading.local()


def _row(version: Version) -> tuple[Any, ...]:
    v = version
    return (v.rid, v.type, v.id, v.version, v.updated, v.change, v.patient, v.body)


def alone(engine: object) -> Alone:
    """The one of this thread; it passes for the database of `engine`, whose search parameters it knows."""
    found: Alone | None = getattr(_local, "alone", None)
    if found is None:
        found = _local.alone = Alone()
    found.engine = engine
    return found
