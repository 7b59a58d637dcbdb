"""One operation's view of the transaction it shares: reads see what was written before, rows go out in bulk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from .driver import Driver
from .keys import RowIds
from .ledger import Line, append
from .schema import INDEX_TABLES
from .sealing import Sealing, as_text, sealing_of
from .version import COLUMNS, Rows, Version, read_version

_CURRENT = f"SELECT {COLUMNS} FROM resource"
_HOLDS = "SELECT 1 FROM resource v WHERE v.rid = ? AND"
_TABLES = tuple(table.name for table in INDEX_TABLES)


class Stale(Exception):
    """Another process wrote the resource between our read and our write: run the operation again."""


class Pending:
    """Rows that wait to be written together."""

    def __init__(self) -> None:
        self.inserts: list[tuple[Any, ...]] = []
        self.updates: list[tuple[Any, ...]] = []
        self.history: list[tuple[Any, ...]] = []
        self.audit: list[Line] = []
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

    def write(self, driver: Driver, sealing: Sealing | None, ids: RowIds) -> None:
        """Send the rows to the database; raises Stale when a resource is not in the version it was read in."""
        if sealing is not None:
            self._seal(driver, sealing, ids)
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
        for sql, others in self.others.items():
            driver.run_many(sql, others)

    def _seal(self, driver: Driver, sealing: Sealing, ids: RowIds) -> None:
        """Seal the bodies of all rows; where each has its type, id, version, patient and body."""
        new = {(version.rid, version.version): version for version in self.current.values()}
        ends = [new[row[5], row[0]] for row in self.updates]
        bodies = [
            *((row[1], row[2], row[3], row[6], row[7]) for row in self.inserts),
            *((end.type, end.id, end.version, end.patient, end.body) for end in ends),
            *((row[2], row[3], row[1], row[7], row[6]) for row in self.history),
        ]
        sealed = iter(sealing.seal_bodies(driver, bodies, ids.next))
        self.inserts = [(*row[:7], next(sealed)) for row in self.inserts]
        self.updates = [(*row[:4], next(sealed), *row[5:]) for row in self.updates]
        self.history = [(*row[:6], next(sealed), *row[7:]) for row in self.history]


class Batch:
    """A transaction that several operations share.

    Versions are read without a lock, and Stale says afterwards that another process was faster; with `lock` (for an
    operation that this has happened to) the rows are locked as they are read.
    """

    def __init__(self, connection: Connection, driver: Driver, ids: RowIds, *, lock: bool = False) -> None:
        self.lock = lock
        self.connection = connection
        self.driver = driver
        self.sealing = sealing_of(connection.engine)
        self.ids = ids
        self.pending = Pending()
        self.seen: dict[tuple[str, str], Version | None] = {}
        self.locked: set[str] = set()
        self.events: list[Line] = []
        self.afterwards: list[Callable[[], None]] = []
        """What is called once the transaction is committed."""

    def prefetch(self, keys: Iterable[tuple[str, str]]) -> None:
        """Read current versions in one go."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self.seen]
        if wanted:
            self.seen.update(dict.fromkeys(wanted))
            for row in self.driver.fetch(wanted, _CURRENT, lock=self.lock):
                self.seen[row[1], row[2]] = self.version(row)

    def flush(self) -> None:
        """Write what the operations before have left pending."""
        pending, self.pending = self.pending, Pending()
        self.seen.update(pending.current)
        self.events += pending.audit
        pending.write(self.driver, self.sealing, self.ids)

    def version(self, row: Sequence[Any]) -> Version:
        """A version from a row in the order of its columns."""
        return Version(*row) if self.sealing is None else self.sealing.version(self.driver.query, row)

    def finish(self) -> None:
        """Write what is left, and the events last: whoever appends to their chain keeps others waiting."""
        self.flush()
        events, self.events = self.events, []
        if events:
            append(self.driver, events)


class Tx:
    """What an operation works with. An operation may be run more than once: it must not change anything but the Tx."""

    def __init__(self, batch: Batch, trace: str = "") -> None:
        self._batch = batch
        self._pending = Pending()
        self.trace = trace
        """The `traceparent` of what the operation is part of; empty where that is not traced."""
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

    def query_locked(self, names: Iterable[str], sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Lock names, and the rows of a SELECT about what only those who hold them write.

        Cheaper than `query`: pending rows are sent first only where an operation before has held one of the names.
        """
        wanted = set(names)
        if wanted & self._batch.locked:
            self.flush()
        self.lock(*wanted)
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

    def read(self, resource_type: str, resource_id: str, where: str = "", params: Sequence[Any] = ()) -> Version | None:
        """The same; with a condition on `v.rid` only where that holds."""
        found = self.current(resource_type, resource_id)
        if found is None or not where:
            return found
        return found if self.query(f"{_HOLDS} {where}", (found.rid, *params)) else None

    def read_version(self, current: Version, version: int) -> Version | None:
        """A version of a resource, given its newest."""
        return read_version(self.query, current, version, self._batch.version)

    def versions(self, rows: Sequence[Sequence[Any]]) -> list[Version]:
        """Versions from rows in the order of their columns; their bodies are opened."""
        return [self._batch.version(row) for row in rows]

    def body(self, kind: str, name: str, version: int, data: bytes) -> bytes:
        """The body of a version as it was before it was sealed."""
        sealing = self._batch.sealing
        return data if sealing is None else sealing.body(self._batch.driver.query, kind, name, version, data)

    @property
    def sealing(self) -> Sealing | None:
        """How the database is sealed."""
        return self._batch.sealing

    def seal(self, owner: str, where: Sequence[str | int], data: bytes) -> bytes:
        """A value of a column as it is kept."""
        batch = self._batch
        return data if batch.sealing is None else batch.sealing.seal(batch.driver, owner, batch.ids.next, where, data)

    def renew_key(self, owner: str, after: int) -> None:
        """A new data key for an owner, of a higher number than `after`; what is sealed from now on uses it."""
        batch = self._batch
        if batch.sealing is not None:
            self.flush()
            self.dirty = True
            batch.sealing.ring.make(batch.driver, owner, max(batch.ids.next(), after + 1))

    def seal_text(self, owner: str, where: Sequence[str | int], text: str) -> str:
        """The same for a column of text."""
        return text if self._batch.sealing is None else as_text(self.seal(owner, where, text.encode()))

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
        self.index(new.rid, rows, kind=new.type)
        pending.current[key] = new

    def index(self, rid: int, rows: Rows, first: int = 0, *, kind: str) -> None:
        """Add index rows to a resource of a type, numbered from `first` within each table."""
        index = self._pending.index
        if self._batch.sealing is not None:
            rows = self._batch.sealing.blind.rows(rows, kind)
        for table, values in rows.items():
            index.setdefault(table, []).extend([(rid, n, *row) for n, row in enumerate(values, first)])

    def unindex(self, rids: Iterable[int]) -> None:
        """Remove every index row of resources, before those that are added to them."""
        self._pending.unindex.extend(rids)

    def audit(self, *lines: Line) -> None:
        """Leave events in the audit trail, which commit with the rest; what they say of a person is sealed."""
        if (sealing := self._batch.sealing) is not None:
            from server.audit.hiding import hidden  # which knows events, and stands above the store

            lines = tuple(hidden(sealing, line, lambda kind, name: self.current(kind, name) is None) for line in lines)
        self._pending.audit += lines

    def afterwards(self, function: Callable[[], None]) -> None:
        """Have a function called once the store has committed this, before anybody is answered; it must not fail."""
        self._batch.afterwards.append(function)

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
