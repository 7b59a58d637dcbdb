"""The store: reads, and writes that share commits, over one database that several processes may share."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url

from fhir_profiles.errors import Category, FhirError
from server.phi.keys import Keys

from . import postgres, sqlite
from .driver import Driver, Reader
from .grouped import GroupedReads
from .keys import RowIds
from .replica import ReplicaReader
from .ring import CACHE
from .sealing import Sealing, remember, sealing_of
from .settled import settle
from .trouble import NONE
from .tx import Batch, Tx
from .version import COLUMNS, Version, read_version
from .writer import Key, Watch, Writer

T = TypeVar("T")

_READ = f"SELECT {COLUMNS} FROM resource v WHERE type = ? AND id = ?"
_READ_MANY = f"SELECT {COLUMNS} FROM resource WHERE (type, id) IN (SELECT * FROM unnest(?::text[], ?::text[]))"


class Store:
    """One database. Close it when done; every call may come from any thread."""

    def __init__(
        self,
        engine: Engine,
        reader: Reader,
        driver: Callable[[Connection], Driver],
        *,
        batch: int,
        queue: int,
        threads: int,
    ) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        self.reader = reader
        self.sealing: Sealing | None = sealing_of(engine)
        self._driver = driver
        self._closers: list[Callable[[], None]] = []
        self._writer: Writer | None = None
        self._writer_lock = threading.Lock()
        self._batch, self._queue = batch, queue
        self.watch: Watch | None = None
        """Who is told of transactions, set before the first; None costs nothing."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store-read")
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="store-work")

    @property
    def writer(self) -> Writer:
        """The process's writer; its thread starts with the first write."""
        if self._writer is None:
            with self._writer_lock:
                if self._writer is None:
                    self._writer = Writer(
                        self.engine, self._driver, batch=self._batch, queue=self._queue, watch=self.watch
                    )
        return self._writer

    async def write(self, op: Callable[[Tx], T], reads: Sequence[Key] = ()) -> T:
        """The result of `op`, after the commit that holds it.

        `op` runs in the writer's thread and may be run more than once; when it raises, nothing of it is kept and its
        neighbours are not touched. `reads` names the resources it will ask for, so that one statement fetches all.
        """
        result: T = await self.writer.write(op, reads)
        return result

    def write_sync(self, op: Callable[[Tx], T], reads: Sequence[Key] = ()) -> T:
        """The same, for threads."""
        result: T = self.writer.write_sync(op, reads)
        return result

    @contextmanager
    def within(self, connection: Connection) -> Iterator[Tx]:
        """A Tx over a transaction that somebody else began and commits (on SQLite it must hold the write lock)."""
        batch = Batch(connection, self._driver(connection), RowIds())
        tx = Tx(batch)
        yield tx
        tx.done()
        batch.finish()

    def read(self, resource_type: str, resource_id: str, where: str = "", params: Sequence[Any] = ()) -> Version | None:
        """The newest version of a resource, deleted ones too; with a condition on `v.rid` only where that holds."""
        sql = f"{_READ} AND {where}" if where else _READ
        rows = self.reader.get(sql, (resource_type, resource_id, *params))
        return self._version(rows[0]) if rows else None

    async def lookup(self, resource_type: str, resource_id: str) -> Version | None:
        """The same from an event loop; with those that ask at the same time when the database is another process."""
        if self.reader.inline:
            return self.read(resource_type, resource_id)
        return await self.lookups.read((resource_type, resource_id))

    @cached_property
    def lookups(self) -> GroupedReads:
        """The process's lookups; their thread starts with the first."""
        return GroupedReads(self._find)

    def _find(self, keys: Sequence[Key]) -> dict[Key, Version]:
        if len(keys) == 1:
            rows = self.reader.get(_READ, keys[0])
        else:
            types, ids = zip(*keys, strict=True)
            rows = self.reader.get(_READ_MANY, (list(types), list(ids)))
        return {(row[1], row[2]): self._version(row) for row in rows}

    def read_version(self, current: Version, version: int) -> Version | None:
        """A version of a resource, given its newest."""
        return read_version(self.reader.get, current, version, self._version)

    def _version(self, row: Sequence[Any]) -> Version:
        return Version(*row) if self.sealing is None else self.sealing.version(self.reader.get, row)

    def versions(self, rows: Sequence[Sequence[Any]]) -> list[Version]:
        """Versions from rows in the order of their columns; their bodies are opened."""
        return [self._version(row) for row in rows]

    def body(self, kind: str, name: str, version: int, data: bytes) -> bytes:
        """The body of a version as it was before it was sealed."""
        return data if self.sealing is None else self.sealing.body(self.reader.get, kind, name, version, data)

    def cache_key(self) -> bytes:
        """What seals the caches of this database; empty when they are not sealed."""
        found = None if self.sealing is None else self.sealing.ring.secret(self.reader.get, CACHE)
        return found or b""

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, in the calling thread; raises QueryTimeout."""
        return self.reader.query(sql, params)

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function that reads in a thread of the store."""
        if self.watch is not None:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, contextvars.copy_context().run, function, *args
            )
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    async def work(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function that computes for long, away from the event loop. One at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, function, *args)

    def guard(self, function: Callable[[Callable[..., list[tuple[Any, ...]]]], None]) -> None:
        """Ask in every transaction of this process, by its `query`, whether it may write at all."""
        self.writer.guard = lambda driver: function(driver.query)

    def before_close(self, function: Callable[[], None]) -> None:
        """Have something done when the store is about to close, while it can still be used."""
        self._closers.append(function)

    def close(self) -> None:
        """Finish waiting writes and close every connection."""
        while self._closers:
            self._closers.pop()()
        if self._writer is not None:
            self._writer.close()
        if "lookups" in self.__dict__:
            self.lookups.close()
        self._pool.shutdown()
        self._worker.shutdown()
        self.reader.close()
        self.engine.dispose()


def require(url: str) -> None:
    """FhirError UNAVAILABLE where there is no file of a SQLite database: whoever opens one makes it."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        raise FhirError.of(Category.UNAVAILABLE, "not-found", NONE)


def open_store(
    url: str,
    *,
    batch: int = 500,
    queue: int = 5000,
    threads: int = 8,
    statement_seconds: float = 30.0,
    create: bool = True,
    keys: Keys | None = None,
    mixed: bool = False,
    replica: str | None = None,
) -> Store:
    """The store at `sqlite:///PATH` or `postgresql://…`; with `create` it is made or migrated first.

    With `keys` it is sealed; KeysError when that does not fit what is stored. `mixed` is for who seals it. `replica` is
    the URL of a streaming replica at which searches are answered.
    """
    if create:
        from .migrate import migrate

        migrate(url)
    else:
        require(url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = sqlite.make_engine(parsed)
        reader: Reader = sqlite.SqliteReader(str(parsed.database), statement_seconds)
        driver: Callable[[Connection], Driver] = sqlite.SqliteDriver
    else:
        engine = postgres.make_engine(parsed)
        reader = postgres.PostgresReader(parsed, statement_seconds)
        if replica is not None:
            reader = ReplicaReader(reader, postgres.PostgresReader(make_url(replica), statement_seconds))
        driver = postgres.PostgresDriver
    if (sealing := settle(engine, keys, mixed=mixed)) is not None:
        remember(engine, sealing)
    return Store(engine, reader, driver, batch=batch, queue=queue, threads=threads)
