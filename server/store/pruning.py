"""Taking old events out of the audit trail, which the database itself refuses otherwise: the act of its owner.

https://www.postgresql.org/docs/current/sql-altertable.html (DISABLE TRIGGER) https://sqlite.org/lang_createtrigger.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from .ledger import BETWEEN, BLOCK
from .tx import Tx

TABLES = ("audit_event", "audit_key")
"""In the order in which whoever appends locks them."""

_GUARDS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND name LIKE '%_delete'"
_GONE = "SELECT coalesce(sum(events), 0) FROM audit_event WHERE seq <= ?"
_LEFT = "SELECT data FROM audit_event WHERE seq > ? AND seq < ?"


def remove_events(tx: Tx, last: int, keys_of: Callable[[Sequence[bytes]], Iterable[tuple[str, ...]]]) -> int:
    """Remove the events up to a number that ends a row, with their keys; how many.

    Whoever does not own the tables is refused. The block that is cut keeps the keys of the events that stay in it.
    """
    block = last // BLOCK
    with _lifted(tx):
        [(gone,)] = tx.query(_GONE, (last,))
        tx.execute("DELETE FROM audit_event WHERE seq <= ?", (last,))
        left: set[str] = set()
        for (data,) in tx.query(_LEFT, (last, (block + 1) * BLOCK)):
            left.update(*keys_of(bytes(data).split(BETWEEN)))
        tx.execute("DELETE FROM audit_key WHERE block <= ?", (block,))
        for key in sorted(left):
            tx.execute("INSERT INTO audit_key (key, block) VALUES (?, ?)", (key, block))
    return int(gone)


@contextmanager
def _lifted(tx: Tx) -> Iterator[None]:
    """The guards of the tables away, and nobody else who appends."""
    if tx.dialect == "postgresql":
        for table in TABLES:
            tx.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_kept")
        yield
        for table in TABLES:
            tx.execute(f"ALTER TABLE {table} ENABLE TRIGGER audit_kept")
        return
    guards = [guard for table in TABLES for guard in tx.query(_GUARDS, (table,))]
    for name, _ in guards:
        tx.execute(f"DROP TRIGGER {name}")
    yield
    for _, text in guards:
        tx.execute(text)
