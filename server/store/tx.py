"""One operation's view of the transaction it shares: reads see what was written before, rows go out in bulk."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from .driver import Driver
from .keys import RowIds
from .schema import INDEX_TABLES
from .version import COLUMNS, Rows, Version, read_version

_CURRENT = f"SELECT {COLUMNS} FROM resource"
_TABLES = tuple(table.name for table in INDEX_TABLES)


class Stale(Exception):
    """Another process wrote the resource between our read and our write: run the operation again."""


class Pending:
    """Rows that wait to be written together."""

    def __init__(self) -> None:
        self.inserts: list[tuple[Any, ...]] = []
        self.updates: list[tuple[Any, ...]] = []
        self.history: list[tuple[Any, ...]] = []
        self.audit: list[tuple[Any, ...]] = []
        self.unindex: list[int] = []
        self.index: Rows = {}
        self.others: dict[str, list[Sequence[Any]]] = {}
        self.current: dict[tuple[str, str], Version] = {}

    def add(self, other: Pending) -> None:
        """Take over the rows of another."""
        self.inserts += other.inserts
        self.updates += other.updates
        self.history += other.history
        self.audit += other.audit
        self.unindex += other.unindex
        for table, rows in other.index.items():
            self.index.setdefault(table, []).extend(rows)
        for sql, others in other.others.items():
            self.others.setdefault(sql, []).extend(others)
        self.current.update(other.current)

    def __bool__(self) -> bool:
        return bool(self.audit or self.inserts or self.updates or self.others or self.unindex or self.index)

    def write(self, driver: Driver) -> None:
        """Send the rows to the database; raises Stale when a resource is not in the version it was read in."""
        # Resources are written in the same order everywhere, so that writers seldom deadlock.
        if self.updates:
            self.updates.sort(key=lambda row: row[5])
            if driver.replace(self.updates) != len(self.updates):
                raise Stale
        if self.history:
            driver.insert("history", self.history)
        if self.unindex:
            for table in _TABLES:
                driver.delete_index(table, self.unindex)
        if self.inserts:
            self.inserts.sort(key=lambda row: row[1:3])
            driver.insert("resource", self.inserts)
        for table, rows in self.index.items():
            driver.insert(table, rows)
        if self.audit:
            driver.insert("audit", self.audit)
        for sql, others in self.others.items():
            driver.run_many(sql, others)


class Batch:
    """A transaction that several operations share.

    Versions are read without a lock, and Stale says afterwards that another process was faster; with `lock` (for an
    operation that this has happened to) the rows are locked as they are read.
    """

    def __init__(self, connection: Connection, driver: Driver, ids: RowIds, *, lock: bool = False) -> None:
        self.lock = lock
        self.connection = connection
        self.driver = driver
        self.ids = ids
        self.pending = Pending()
        self.seen: dict[tuple[str, str], Version | None] = {}
        self.locked: set[str] = set()

    def prefetch(self, keys: Iterable[tuple[str, str]]) -> None:
        """Read current versions in one go."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self.seen]
        if wanted:
            self.seen.update(dict.fromkeys(wanted))
            for row in self.driver.fetch(wanted, _CURRENT, lock=self.lock):
                self.seen[row[1], row[2]] = Version(*row)

    def flush(self) -> None:
        """Write what the operations before have left pending."""
        pending, self.pending = self.pending, Pending()
        self.seen.update(pending.current)
        pending.write(self.driver)


class Tx:
    """What an operation works with. An operation may be run more than once: it must not change anything but the Tx."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._pending = Pending()
        self.now = time.time_ns() // 1_000_000 * 1000
        """The moment of the write in microseconds, in whole milliseconds."""
        self.dirty = False
        """Whether something reached the database that only a rollback can take back."""

    @property
    def sa(self) -> Connection:
        """The live SQLAlchemy connection of this transaction; `flush()` first to see pending rows through it."""
        self.dirty = True
        return self._batch.connection

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement that writes (parameters marked `?`) at once; how many rows it changed.

        It does not see pending rows unless `flush()` was called; `later` is cheaper where no answer is needed.
        """
        self.dirty = True
        return self._batch.driver.run(sql, params)

    def later(self, sql: str, row: Sequence[Any]) -> None:
        """Run a statement that writes together with its like from other operations, before the commit."""
        self._pending.others.setdefault(sql, []).append(row)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, which sees everything written so far."""
        self.flush()
        return self._batch.driver.query(sql, params)

    def lock(self, *names: str) -> None:
        """Wait until no other transaction holds one of the names; held until this one ends."""
        if wanted := set(names) - self._batch.locked:
            self._batch.driver.lock(wanted)
            self._batch.locked |= wanted

    def prefetch(self, keys: Iterable[tuple[str, str]]) -> None:
        """Read the current versions that will be asked for, in one statement."""
        self._batch.prefetch(keys)

    def current(self, resource_type: str, resource_id: str) -> Version | None:
        """The newest version of a resource, deleted ones too; None when there never was one."""
        key = (resource_type, resource_id)
        if found := self._pending.current.get(key) or self._batch.pending.current.get(key):
            return found
        if key not in self._batch.seen:
            self._batch.prefetch((key,))
        return self._batch.seen[key]

    read = current

    def read_version(self, current: Version, version: int) -> Version | None:
        """A version of a resource, given its newest."""
        return read_version(self.query, current, version)

    @property
    def engine(self) -> Engine:
        """The engine of the store that the transaction is of."""
        return self._batch.connection.engine

    @property
    def dialect(self) -> str:
        """The name of the engine."""
        return self._batch.connection.dialect.name

    def new_rid(self) -> int:
        """A row id for a resource that is new."""
        return self._batch.ids.next()

    def put(self, new: Version, old: Version | None, rows: Rows) -> None:
        """Make `new` the current version in place of `old`, found by the index rows `rows`."""
        key = (new.type, new.id)
        if key in self._pending.current or key in self._batch.pending.current:
            self.flush()
        pending = self._pending
        if old is None:
            pending.inserts.append(
                (new.rid, new.type, new.id, new.version, new.updated, new.change, new.patient, new.body)
            )
        else:
            pending.history.append(
                (old.rid, old.version, old.type, old.id, old.updated, old.change, old.body, old.patient, new.updated)
            )
            pending.updates.append((new.version, new.updated, new.change, new.patient, new.body, new.rid, old.version))
            pending.unindex.append(new.rid)
        self.index(new.rid, rows)
        pending.current[key] = new

    def index(self, rid: int, rows: Rows, first: int = 0) -> None:
        """Add index rows to a resource, numbered from `first` within each table."""
        index = self._pending.index
        for table, values in rows.items():
            index.setdefault(table, []).extend([(rid, n, *row) for n, row in enumerate(values, first)])

    def unindex(self, rids: Iterable[int]) -> None:
        """Remove every index row of resources, before those that are added to them."""
        self._pending.unindex.extend(rids)

    def audit(self, who: str, action: str, target: Version, outcome: int) -> None:
        """Note who did what to which resource and how it ended, as an HTTP status."""
        self._pending.audit.append(
            (self.new_rid(), self.now, who, action, target.type, target.id, target.version, outcome)
        )

    def flush(self) -> None:
        """Send pending rows to the database, so that queries see them."""
        batch = self._batch
        if batch.pending:
            batch.flush()
        if self._pending:
            self.dirty = True
            self.done()
            batch.flush()

    def done(self) -> None:
        """Leave the pending rows to the batch, which writes them with its neighbours'."""
        self._batch.pending.add(self._pending)
        self._pending = Pending()
