"""The rows of the ledger: what is known of a message, what lies in quarantine, what is old."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from fhir_profiles.errors import Category, FhirError
from server.settings import Settings
from server.store import Store, Tx
from server.store.texts import View, opened

STATES = ("stored", "quarantined", "discarded")
_DAY = 86_400_000
_FIND = """SELECT id, state, reason, text, written FROM arrival
 WHERE id = ? OR (door = ? AND key = ? AND state = 'stored')"""
_LIST = "SELECT id, door, key, at, state, reason, text, written FROM arrival WHERE state = ?"
_OLD = "SELECT id FROM arrival WHERE state = ? AND at < ? ORDER BY at LIMIT ?"
_AT_ONCE = 1000


class Outcome(NamedTuple):
    """What became of a message. `text` is the reason in words, of a stored one what was left out, line by line."""

    id: str
    state: str
    reason: str
    text: str
    written: tuple[str, ...]
    """`Type/id` of what it wrote."""

    known: bool = False
    """Whether it came before, so that nothing was done now."""


class Row(NamedTuple):
    """A row as it is told; `at` is milliseconds since 1970."""

    id: str
    door: str
    key: str
    at: int
    state: str
    reason: str
    text: str
    written: tuple[str, ...]


def standing(view: View, door: str, key: str, id: str) -> Outcome | None:
    """What is known of a message: its own row, else that of the content that is stored under its key."""
    return _first(view.query(_FIND, (id, door, key)), id)


def standing_now(tx: Tx, door: str, key: str, id: str) -> Outcome | None:
    """The same, and nobody else changes it until this transaction ends."""
    return _first(tx.query_locked((f"arrival {door} {key}",), _FIND, (id, door, key)), id)


def _first(rows: Sequence[Sequence[Any]], id: str) -> Outcome | None:
    found = sorted((_outcome(row) for row in rows), key=lambda one: one.id != id)
    return found[0] if found else None


def is_taken(view: View, door: str, key: str) -> bool:
    """Whether a content is stored under a key."""
    return bool(view.query("SELECT 1 FROM arrival WHERE door = ? AND key = ? AND state = 'stored'", (door, key)))


def find(store: Store, door: str, key: str, id: str) -> Outcome | None:
    """The same, outside a transaction."""
    return standing(store, door, key, id)


def _outcome(row: Sequence[Any]) -> Outcome:
    return Outcome(row[0], row[1], row[2], row[3], tuple(row[4].split()), known=True)


def rows(view: View, state: str, *, door: str = "", most: int = 100) -> list[Row]:
    """Rows of a state, the newest first."""
    sql, params = _LIST, [state]
    if door:
        sql, params = f"{sql} AND door = ?", [state, door]
    found = view.query(f"{sql} ORDER BY at DESC, id LIMIT ?", (*params, most))
    return [_row(row) for row in found]


def row_of(view: View, id: str) -> Row:
    """A row; FhirError when there is none."""
    found = view.query(_LIST.replace("state = ?", "id = ?"), (id,))
    if not found:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "The ledger of the doors has no row of this id.")
    return _row(found[0])


def _row(row: Sequence[Any]) -> Row:
    return Row(*row)._replace(written=tuple(row[7].split()))


def raw_of(view: View, id: str) -> bytes:
    """The bytes of what lies in quarantine; FhirError when it does not."""
    found = view.query("SELECT raw FROM arrival_raw WHERE id = ?", (id,))
    if not found:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "No bytes of this row lie in quarantine.")
    return base64.b64decode(opened(view, "arrival_raw", id, found[0][0]))


def discard(store: Store, id: str) -> None:
    """Throw away the bytes of what lies in quarantine; the row stays, so that it is known when it comes again."""

    def write(tx: Tx) -> None:
        changed = "UPDATE arrival SET state = 'discarded' WHERE id = ? AND state = 'quarantined'"
        if not tx.execute(changed, (id,)):
            raise FhirError.of(Category.NOT_FOUND, "not-found", "No row of this id lies in quarantine.")
        tx.execute("DELETE FROM arrival_raw WHERE id = ?", (id,))

    store.write_sync(write)


def prune(store: Store, settings: Settings, now: int) -> int:
    """Forget what is older than the settings keep; how many rows. `now` is milliseconds since 1970."""
    days = dict.fromkeys(STATES, settings.doors_keep_days) | {"quarantined": settings.doors_quarantine_days}
    gone = 0
    for state, kept in days.items():
        while some := store.query(_OLD, (state, now - kept * _DAY, _AT_ONCE)):
            store.write_sync(partial(_remove, [id for (id,) in some]))
            gone += len(some)
    return gone


def _remove(ids: Sequence[str], tx: Tx) -> None:
    for id in ids:
        tx.later("DELETE FROM arrival_raw WHERE id = ?", (id,))
        tx.later("DELETE FROM arrival WHERE id = ?", (id,))
