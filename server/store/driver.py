"""What the store asks of a database: the two engines differ behind these calls only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from .schema import metadata

REPLACE = "UPDATE resource SET version=?, updated=?, change=?, patient=?, body=? WHERE rid=? AND version=?"


class QueryTimeout(Exception):
    """A read took longer than the statement timeout allows."""


@lru_cache(maxsize=64)
def columns(table: str) -> tuple[str, ...]:
    """The column names of a table, in the order of its rows."""
    return tuple(metadata.tables[table].columns.keys())


@lru_cache(maxsize=64)
def insert_sql(table: str) -> str:
    """The INSERT of a whole row."""
    names = columns(table)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


class Driver(ABC):
    """The connection of a transaction that writes. SQL marks its parameters with `?` on both engines."""

    failures: tuple[type[Exception], ...] = ()
    """What the driver raises, after which the transaction may be lost."""

    contended: tuple[type[Exception], ...] = ()
    """Those of them that say that another transaction was in the way."""

    transient: tuple[type[Exception], ...] = ()
    """Errors of the driver that may pass when the transaction is run again."""

    transaction: str = ""
    """The id by which `outcome` knows the transaction that runs, once it is known."""

    def outcome(self, transaction: str) -> str:
        """What became of a transaction whose commit was not answered: `committed`, `aborted` or `in progress`."""
        raise NotImplementedError

    @abstractmethod
    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""

    @abstractmethod
    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement that writes; how many rows it changed."""

    @abstractmethod
    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement for each row; how many rows were changed in all."""

    @abstractmethod
    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert whole rows, in the order of the table's columns."""

    @abstractmethod
    def replace(self, rows: Sequence[Sequence[Any]]) -> int:
        """Put new versions in place: the parameters of REPLACE for each; how many were in the version expected."""

    @abstractmethod
    def delete_index(self, table: str, rids: Sequence[int]) -> None:
        """Remove the index rows of resources."""

    @abstractmethod
    def fetch(self, keys: Iterable[tuple[str, str]], sql: str, *, lock: bool) -> list[tuple[Any, ...]]:
        """The rows of `sql` (a SELECT over `resource` without its WHERE) for each (type, id).

        With `lock` no other transaction can change them until this one ends.
        """

    @abstractmethod
    def lock(self, names: Iterable[str]) -> None:
        """Let only one transaction at a time pass here for each name, until it ends."""

    @abstractmethod
    def queue_up(self) -> None:
        """Wait for the turn to append to the audit chain, and keep it until the transaction ends."""


class Reader(ABC):
    """Reads outside of a transaction, from any thread."""

    inline: bool = False
    """Whether a read by id is short enough to run in the event loop."""

    @abstractmethod
    def get(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a lookup by key, which cannot take long."""

    @abstractmethod
    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT; raises QueryTimeout when it takes longer than the statement timeout."""

    @abstractmethod
    def close(self) -> None:
        """Close every connection."""
