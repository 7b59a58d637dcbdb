"""The data keys of a database: one for each patient, wrapped by a versioned key (NIST SP 800-57 part 1, 6.2).

A key is never changed: renewal makes another, and destruction leaves an empty row that says so. What another process
destroys is noticed within a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.phi.envelope import HEAD, Broken, head_of, new_key, unwrap, wrap
from server.phi.keys import Keys

from .version import Query as Asks

INDEX, CACHE, AUDIT, JOBS, AUTH, NOBODY = "#index", "#cache", "#audit", "#jobs", "#auth", "#nobody"
"""Owners that are no patient: hashes in the index, caches, audit trail and steps of jobs, requests answered later, what
is known of people and clients, all else."""

FIXED = (INDEX, CACHE, AUDIT)
"""Owners whose keys are made with the database and not renewed."""

KEPT = 100_000
EPOCH_SECONDS = 1.0
_FIND = "SELECT owner, kek, wrapped FROM phi_key WHERE number = ?"
_EPOCH = "SELECT value FROM phi_state WHERE name = 'epoch'"
_INSERT = "INSERT INTO phi_key (number, owner, kek, made, wrapped) VALUES (?, ?, ?, ?, ?)"


class Destroyed(Exception):
    """The key was destroyed, and what it sealed with it."""


class Writes(Protocol):
    """A transaction that writes."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement."""


class Ring:
    """Opened data keys by how a value begins that they seal, the latest opened at hand."""

    def __init__(self, keys: Keys, dialect: str) -> None:
        self.keys = keys
        self._hold = "" if dialect == "sqlite" else " FOR SHARE"
        self._kept: dict[bytes, AESGCM] = {}
        self._lock = threading.Lock()
        self._epoch = ""
        self._until = 0.0

    def key(self, ask: Asks, number: int) -> AESGCM:
        """The key of this number; Destroyed when it was, Broken when there is none or it does not open."""
        if time.monotonic() >= self._until:
            self._look(ask)
        if (found := self._kept.get(head_of(number))) is not None:
            return found
        rows = ask(_FIND, (number,))
        if not rows:
            raise Broken
        return self._opened(number, *rows[0])

    def at_hand(self, data: bytes) -> AESGCM | None:
        """The key of a sealed value, when no look at the database is due."""
        return None if time.monotonic() >= self._until else self._kept.get(data[:HEAD])

    def of_owners(self, tx: Writes, owners: Iterable[str], new_number: Any) -> dict[str, tuple[int, AESGCM]]:
        """The newest key of each owner, made where there is none.

        They are asked for in the transaction and held until it ends, so that none is destroyed before its commit.
        """
        found: dict[str, tuple[int, AESGCM]] = {}
        wanted = sorted(set(owners))
        for at in range(0, len(wanted), 500):
            some = wanted[at : at + 500]
            marks = ", ".join("?" * len(some))
            sql = (
                f"SELECT number, owner, kek, wrapped FROM phi_key WHERE owner IN ({marks}) ORDER BY number{self._hold}"
            )
            for number, owner, kek, wrapped in tx.query(sql, some):
                if len(wrapped):
                    found[owner] = number, self._opened(number, owner, kek, wrapped)
        for owner in wanted:
            if owner not in found:
                found[owner] = self.make(tx, owner, new_number())
        return found

    def make(self, tx: Writes, owner: str, number: int) -> tuple[int, AESGCM]:
        """A new key of an owner."""
        key, kek = new_key(), self.keys.newest
        wrapped = wrap(self.keys.of(kek), kek, number, owner, key)
        tx.run(_INSERT, (number, owner, kek, time.time_ns() // 1_000_000, wrapped))
        return number, AESGCM(key)

    def secret(self, ask: Asks, owner: str) -> bytes | None:
        """The bytes of an owner's newest key, for hashes; None when there is none."""
        rows = ask("SELECT number, kek, wrapped FROM phi_key WHERE owner = ? ORDER BY number DESC LIMIT 1", (owner,))
        if not rows or not len(rows[0][2]):
            return None
        number, kek, wrapped = rows[0]
        return unwrap(self.keys.of(kek), kek, number, owner, bytes(wrapped))

    def forget(self) -> None:
        """Drop every key at hand: some were destroyed."""
        with self._lock:
            self._kept.clear()
            self._until = 0.0

    def _opened(self, number: int, owner: str, kek: int, wrapped: bytes) -> AESGCM:
        head = head_of(number)
        if (found := self._kept.get(head)) is not None:
            return found
        if not len(wrapped):
            raise Destroyed
        key = AESGCM(unwrap(self.keys.of(kek), kek, number, owner, bytes(wrapped)))
        with self._lock:
            self._kept[head] = key
            if len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return key

    def _look(self, ask: Asks) -> None:
        self._until = time.monotonic() + EPOCH_SECONDS
        epoch = str(ask(_EPOCH, ()))
        if epoch != self._epoch:
            with self._lock:
                self._kept.clear()
            self._epoch = epoch
