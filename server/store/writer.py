"""Group commit: one thread writes for the whole process, many operations share a commit, each is answered after it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from fhir_profiles.errors import Category, FhirError

from .driver import Driver
from .keys import RowIds
from .tx import Batch, Stale, Tx

Op = Callable[[Tx], Any]
Key = tuple[str, str]
ATTEMPTS = 8


class Watch(Protocol):
    """Who is told of transactions, with the traces of the operations in them."""

    def driver(self, inner: Driver) -> Driver:
        """The driver that the writer shall use."""

    def current(self) -> str:
        """The trace that the operation of the calling thread belongs to; empty for none."""

    def transaction(self, parents: Iterable[str], size: int, driver: Driver) -> AbstractContextManager[None]:
        """What is entered around a transaction of `size` operations."""


class _Away(Exception):
    """There is no connection, or it was lost in a commit whose outcome cannot be learned."""


class _Failed(Exception):
    """An operation failed after its rows had reached the database."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item


class Item:
    """An operation that waits, and how to answer it."""

    __slots__ = ("error", "future", "loop", "op", "reads", "result", "trace")

    def __init__(self, op: Op, reads: Sequence[Key], loop: asyncio.AbstractEventLoop | None, future: Any) -> None:
        self.op = op
        self.reads = reads
        self.loop = loop
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.trace = ""


def _answer(items: list[Item]) -> None:
    for item in items:
        if item.future.done():
            continue
        if item.error is not None:
            item.future.set_exception(item.error)
        else:
            item.future.set_result(item.result)


class Writer:
    """Collects operations, runs up to `batch` of them in a transaction and answers them after its commit."""

    def __init__(
        self,
        engine: Engine,
        driver: Callable[[Connection], Driver],
        *,
        batch: int = 500,
        queue: int = 5000,
        watch: Watch | None = None,
    ) -> None:
        self._engine = engine
        self._make_driver = driver
        self._watch = watch
        self._batch = batch
        self._limit = queue
        self._waiting: deque[Item] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._ids = RowIds()
        self.guard: Callable[[Driver], None] | None = None
        """Asked in every transaction before anything else; what it raises refuses all that was to be written."""
        self._connection: Connection | None = None
        self._driver: Driver | None = None
        self.commits = 0
        self.operations = 0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Operations in the queue."""
        return len(self._waiting)

    async def write(self, op: Op, reads: Sequence[Key] = ()) -> Any:
        """The result of `op`, once the commit that holds it is done."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._submit(Item(op, reads, loop, future))
        return await future

    def write_sync(self, op: Op, reads: Sequence[Key] = ()) -> Any:
        """The same for threads."""
        future: Future[Any] = Future()
        self._submit(Item(op, reads, None, future))
        return future.result()

    def _submit(self, item: Item) -> None:
        if self._watch is not None:
            item.trace = self._watch.current()
        with self._wake:
            if self._closing:
                raise FhirError.of(Category.UNAVAILABLE, "transient", "The server is shutting down; try again later.")
            if len(self._waiting) >= self._limit:
                raise FhirError.of(Category.BUSY, "throttled", "Too many writes are waiting; try again in a moment.")
            self._waiting.append(item)
            if len(self._waiting) == 1:
                self._wake.notify()

    def close(self) -> None:
        """Finish what waits and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _take(self) -> list[Item]:
        with self._wake:
            while not self._waiting and not self._closing:
                self._wake.wait()
            count = min(len(self._waiting), self._batch)
            return [self._waiting.popleft() for _ in range(count)]

    def _run(self) -> None:
        while items := self._take():
            self._process(items)
            self._reply(items)
        self._disconnect()

    def _reply(self, items: list[Item]) -> None:
        """Wake each event loop once for all of its operations."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Item]] = {}
        for item in items:
            if item.loop is None:
                _answer([item])
            else:
                by_loop.setdefault(item.loop, []).append(item)
        for loop, theirs in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, theirs)

    def _process(self, items: list[Item]) -> None:
        """Run the operations in one transaction; when it cannot be committed, each in its own."""
        while items:
            try:
                self._transact(items)
                return
            except _Failed as failed:
                items = [item for item in items if item is not failed.item]
            except _Away as error:
                for item in items:
                    item.error = self._as_fhir(error)
                return
            except Exception as error:
                for at, item in enumerate(items):
                    if not self._alone(item, error):
                        for other in items[at:]:
                            other.error = item.error
                        return
                return

    def _alone(self, item: Item, error: Exception | None = None) -> bool:
        """Run one operation until it is committed, refused, or has met others too often; False: nobody is there."""
        for attempt in range(ATTEMPTS):
            if error is not None:
                time.sleep(min(0.001 * 2**attempt, 0.1))
            try:
                self._transact([item], lock=True)
                return True
            except _Failed:
                return True
            except _Away as failure:
                item.error = self._as_fhir(failure)
                return False
            except Exception as failure:
                error = failure
                item.error = self._as_fhir(failure)
            if not self._may_pass(error):
                return True
        return True

    def _as_fhir(self, error: Exception) -> BaseException:
        """The answer for an operation that the database would not take; what the database said stays in the cause."""
        if isinstance(error, FhirError):
            return error
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, Stale) or (self._driver is not None and isinstance(cause, self._driver.contended)):
            answer = FhirError.of(Category.CONFLICT, "lock-error", "Others are changing the same resources; try again.")
        else:
            text = "The database did not take the write; try again later."
            answer = FhirError.of(Category.UNAVAILABLE, "transient", text)
        answer.__cause__ = error
        return answer

    def _may_pass(self, error: Exception) -> bool:
        """Whether the failure came from a neighbour or the connection, so that another try makes sense."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        return isinstance(cause, Stale) or (self._driver is None or isinstance(cause, self._driver.transient))

    def _transact(self, items: list[Item], *, lock: bool = False) -> None:
        connection, driver = self._connect()
        if self._watch is None:
            self._commit(connection, driver, items, lock=lock)
            return
        with self._watch.transaction([item.trace for item in items], len(items), driver):
            self._commit(connection, driver, items, lock=lock)

    def _commit(self, connection: Connection, driver: Driver, items: list[Item], *, lock: bool) -> None:
        driver.transaction = ""
        ended = False
        try:
            with connection.begin():
                if self.guard is not None:
                    self.guard(driver)
                batch = Batch(connection, driver, self._ids, lock=lock)
                batch.prefetch(key for item in items for key in item.reads)
                for item in items:
                    self._perform(item, batch)
                batch.finish()
                ended = True
        except _Failed:
            raise
        except Exception as error:
            if connection.invalidated or _lost(connection):
                self._disconnect()
                if ended and not self._was_committed(driver.transaction):
                    raise _Away from error
            if not (ended and self._connection is not connection):
                raise
        for function in batch.afterwards:
            function()
        self.commits += 1
        self.operations += len(items)

    def _perform(self, item: Item, batch: Batch) -> None:
        tx = Tx(batch, item.trace)
        item.error = None
        try:
            item.result = item.op(tx)
        except Exception as error:
            if isinstance(error, (Stale, DBAPIError, *batch.driver.failures)):
                raise
            item.error = error
            if tx.dirty:
                raise _Failed(item) from None
        else:
            tx.done()

    def _was_committed(self, transaction: str) -> bool:
        """Whether a commit that was not answered took place; _Away when that cannot be learned.

        Running it again would write twice what was written once.
        """
        for _ in range(ATTEMPTS if transaction else 0):
            connection, driver = self._connect()
            try:
                with connection.begin():
                    found = driver.outcome(transaction)
            except Exception:
                self._disconnect()
                continue
            if found != "in progress":
                return found == "committed"
            time.sleep(0.1)
        raise _Away

    def _connect(self) -> tuple[Connection, Driver]:
        """The connection; _Away when there is none to be had. A database that starts again is waited for shortly."""
        if self._connection is None or self._driver is None:
            for attempt in range(ATTEMPTS):
                began = time.monotonic()
                try:
                    self._connection = self._engine.connect()
                    break
                except DBAPIError as error:
                    if attempt == ATTEMPTS - 1 or time.monotonic() - began > 1:
                        raise _Away from error
                    time.sleep(0.05)
            assert self._connection is not None
            driver = self._make_driver(self._connection)
            self._driver = driver if self._watch is None else self._watch.driver(driver)
        return self._connection, self._driver

    def _disconnect(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            connection.close()


def _lost(connection: Connection) -> bool:
    return bool(getattr(connection.connection.driver_connection, "closed", False))
