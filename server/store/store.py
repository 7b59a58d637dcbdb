"""The store: reads, and writes that share commits, over one database that several processes may share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url

from . import postgres, sqlite
from .driver import Driver, Reader
from .grouped import GroupedReads
from .keys import RowIds
from .tx import Batch, Tx
from .version import COLUMNS, Version, read_version
from .writer import Key, Writer

T = TypeVar("T")

_READ = f"SELECT {COLUMNS} FROM resource WHERE type = ? AND id = ?"
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
        self._driver = driver
        self._writer: Writer | None = None
        self._writer_lock = threading.Lock()
        self._batch, self._queue = batch, queue
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store-read")
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="store-work")

    @property
    def writer(self) -> Writer:
        """The process's writer; its thread starts with the first write."""
        if self._writer is None:
            with self._writer_lock:
                if self._writer is None:
                    self._writer = Writer(self.engine, self._driver, batch=self._batch, queue=self._queue)
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
        batch.flush()

    def read(self, resource_type: str, resource_id: str) -> Version | None:
        """The newest version of a resource, deleted ones too."""
        rows = self.reader.get(_READ, (resource_type, resource_id))
        return Version(*rows[0]) if rows else None

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
        return {(row[1], row[2]): Version(*row) for row in rows}

    def read_version(self, current: Version, version: int) -> Version | None:
        """A version of a resource, given its newest."""
        return read_version(self.reader.get, current, version)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, in the calling thread; raises QueryTimeout."""
        return self.reader.query(sql, params)

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function that reads in a thread of the store."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    async def work(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function that computes for long, away from the event loop. One at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, function, *args)

    def close(self) -> None:
        """Finish waiting writes and close every connection."""
        if self._writer is not None:
            self._writer.close()
        if "lookups" in self.__dict__:
            self.lookups.close()
        self._pool.shutdown()
        self._worker.shutdown()
        self.reader.close()
        self.engine.dispose()


def open_store(
    url: str,
    *,
    batch: int = 500,
    queue: int = 5000,
    threads: int = 8,
    statement_seconds: float = 30.0,
    create: bool = True,
) -> Store:
    """The store at `sqlite:///PATH` or `postgresql://…`; with `create` it is made or migrated first."""
    if create:
        from .migrate import migrate

        migrate(url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = sqlite.make_engine(parsed)
        reader: Reader = sqlite.SqliteReader(str(parsed.database), statement_seconds)
        driver: Callable[[Connection], Driver] = sqlite.SqliteDriver
    else:
        engine = postgres.make_engine(parsed)
        reader = postgres.PostgresReader(parsed, statement_seconds)
        driver = postgres.PostgresDriver
    return Store(engine, reader, driver, batch=batch, queue=queue, threads=threads)
