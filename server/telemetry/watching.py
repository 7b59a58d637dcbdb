"""Spans of what the store does: kind of statement and table, never its text or its parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from server.store import Store
from server.store.driver import Driver, Reader
from server.store.schema import metadata
from server.telemetry import spans

_KINDS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "COPY"})
_NAME = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN|COPY)\s+(?:dbos\.)?([a-z_]+)")


@lru_cache(maxsize=4096)
def kind_and_table(sql: str) -> tuple[str, str]:
    """What a statement does and the first table it names; only words that we know, `other` for the rest."""
    kind = sql.lstrip().partition(" ")[0].upper()
    table = next((name for name in _NAME.findall(sql) if name in metadata.tables), "other")
    return kind if kind in _KINDS else "other", table


def watch(store: Store) -> None:
    """Have a store tell of its reads and transactions from now on."""
    store.reader = WatchedReader(store.reader, store.dialect)
    store.watch = Watching(store.dialect)


class WatchedReader(Reader):
    """A reader with a span around each statement that belongs to a trace."""

    def __init__(self, inner: Reader, system: str) -> None:
        self._inner, self._system = inner, system
        self.inline = inner.inline

    def get(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a lookup by key."""
        with self._span(sql):
            return self._inner.get(sql, params)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        with self._span(sql):
            return self._inner.query(sql, params)

    def _span(self, sql: str) -> Any:
        return _read_span(sql, self._system) if spans.current() else spans.nothing()

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()


def _read_span(sql: str, system: str) -> Any:
    kind, table = kind_and_table(sql)
    told = {"db.system.name": system, "db.operation.name": kind, "db.collection.name": table}
    return spans.span("store.read", kind="client", attributes=told)


class Watching:
    """What a writer calls: a span around each transaction, below the first operation in it and linked to the others."""

    def __init__(self, system: str) -> None:
        self._system = system

    def driver(self, inner: Driver) -> Driver:
        """A driver that remembers which statements it ran."""
        return WatchedDriver(inner)

    def current(self) -> str:
        """The trace that an operation belongs to."""
        return spans.current()

    @contextmanager
    def transaction(self, parents: Iterable[str], size: int, driver: Driver) -> Iterator[None]:
        """A span around a transaction; none where nobody's trace is in it."""
        known = list(dict.fromkeys(one for one in parents if one))
        if not known:
            yield
            return
        told = {"db.system.name": self._system, "db.operation.batch.size": size}
        with spans.span("store.transaction", kind="client", parent=known[0], links=known[1:], attributes=told) as span:
            if isinstance(driver, WatchedDriver):
                driver.ran.clear()
            yield
            if isinstance(driver, WatchedDriver):
                span.set(fhirwright__statements=[" ".join(one) for one in driver.ran])


class WatchedDriver(Driver):
    """The writer's connection, which remembers kinds and tables."""

    def __init__(self, inner: Driver) -> None:
        self._inner = inner
        self.ran: dict[tuple[str, str], None] = {}
        self.failures, self.contended, self.transient = inner.failures, inner.contended, inner.transient

    def __getattribute__(self, name: str) -> Any:
        """`transaction` is the inner one's: both sides write it."""
        if name == "transaction":
            return self._inner.transaction
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "transaction":
            self._inner.transaction = value
        else:
            super().__setattr__(name, value)

    def _noted(self, sql: str, call: Callable[[], Any]) -> Any:
        self.ran[kind_and_table(sql)] = None
        return call()

    def outcome(self, transaction: str) -> str:
        """What became of a transaction whose commit was not answered."""
        return self._inner.outcome(transaction)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        rows: list[tuple[Any, ...]] = self._noted(sql, lambda: self._inner.query(sql, params))
        return rows

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement that writes."""
        return int(self._noted(sql, lambda: self._inner.run(sql, params)))

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement for each row."""
        return int(self._noted(sql, lambda: self._inner.run_many(sql, rows)))

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert whole rows."""
        self.ran["INSERT", table] = None
        self._inner.insert(table, rows)

    def replace(self, rows: Sequence[Sequence[Any]]) -> int:
        """Put new versions in place."""
        self.ran["UPDATE", "resource"] = None
        return self._inner.replace(rows)

    def delete_index(self, table: str, rids: Sequence[int]) -> None:
        """Remove index rows."""
        self.ran["DELETE", table] = None
        self._inner.delete_index(table, rids)

    def fetch(self, keys: Iterable[tuple[str, str]], sql: str, *, lock: bool) -> list[tuple[Any, ...]]:
        """The rows of `sql` for each (type, id)."""
        self.ran["SELECT", "resource"] = None
        return self._inner.fetch(keys, sql, lock=lock)

    def lock(self, names: Iterable[str]) -> None:
        """Let only one transaction at a time pass here for each name."""
        self._inner.lock(names)

    def queue_up(self) -> None:
        """Wait for the turn to append to the audit chain."""
        self._inner.queue_up()
