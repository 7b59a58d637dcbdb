"""The live side of Subscriptions: one row each, beside the resource that people see."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from server.jobs.engine import View
from server.store import Tx

REQUESTED, ACTIVE, ERROR, OFF = "requested", "active", "error", "off"
COLUMNS = "id, version, state, type, channel, since, events, delivered, failures, due, beat"


class State(msgspec.Struct, frozen=True):
    """Times in milliseconds. `events` were numbered, `delivered` is the last that was told; nothing before `due`."""

    id: str
    version: int
    state: str
    type: str
    channel: str
    since: int
    events: int
    delivered: int
    failures: int
    due: int
    beat: int


def find_state(view: View, subscription: str) -> State | None:
    """The state of a subscription."""
    rows = view.query(f"SELECT {COLUMNS} FROM subscription WHERE id = ?", (subscription,))
    return State(*rows[0]) if rows else None


def live_states(view: View) -> list[State]:
    """Every subscription that is not off."""
    return [State(*row) for row in view.query(f"SELECT {COLUMNS} FROM subscription WHERE state <> 'off' ORDER BY id")]


def request(tx: Tx, subscription: str, version: int, state: str, kind: str, channel: str) -> None:
    """Take a Subscription as its owner wrote it: it begins anew, its events and what was told of them stay."""
    tx.execute(_REQUEST, (subscription, version, state, kind, channel, now(), 0, 0, 0, 0, 0))


def change(tx: Tx, subscription: str, version: int, **values: Any) -> bool:
    """Change columns, unless the owner has written another version meanwhile; whether that was done."""
    names = ", ".join(f"{name} = ?" for name in values)
    sql = f"UPDATE subscription SET {names} WHERE id = ? AND version = ?"
    return tx.execute(sql, (*values.values(), subscription, version)) == 1


def forget(tx: Tx, subscription: str) -> None:
    """Remove a subscription with its events."""
    tx.execute("DELETE FROM subscription WHERE id = ?", (subscription,))
    tx.execute("DELETE FROM event WHERE subscription = ?", (subscription,))


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


_REQUEST = (
    f"INSERT INTO subscription ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
    " version = excluded.version, state = excluded.state, type = excluded.type, channel = excluded.channel,"
    " since = excluded.since, failures = 0, due = 0, beat = 0"
)
