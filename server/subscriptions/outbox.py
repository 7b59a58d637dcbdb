"""The hook that notes what a subscription may want to hear of, in the transaction that writes it.

Each process knows which types are wanted and asks again every second; a subscription becomes active no sooner than
every process knows of it. Without subscriptions a write pays for a look at the clock.
"""

from __future__ import annotations

import time

from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir
from server.store import Tx, Written
from server.subscriptions import states
from server.subscriptions.definition import read_definition

WHO = "fhirwright-subscriptions"
FRESH_SECONDS = 1.0
SETTLED_MS = 2000
"""How long after a Subscription was written every process notes what it wants."""

_NOTE = "INSERT INTO outbox (seq, at, type, id, version, change) VALUES (?, ?, ?, ?, ?, ?)"
_WANTED = "SELECT DISTINCT type FROM subscription WHERE state <> 'off'"


class Outbox:
    """Put it in `Fhir.on_write`."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self._wanted: frozenset[str] = frozenset()
        self._stale = 0.0

    def __call__(self, tx: Tx, written: Written) -> None:
        """Follow one new version."""
        version = written.version
        if version.type == "Subscription":
            self._follow(tx, written)
        if time.monotonic() >= self._stale:
            # What is committed: a deletion that is rolled back must not make us deaf.
            self._wanted = frozenset(row[0] for row in self._fhir.store.query(_WANTED))
            self._stale = time.monotonic() + FRESH_SECONDS
        if version.type in self._wanted:
            row = (tx.new_rid(), version.updated, version.type, version.id, version.version, version.change)
            tx.later(_NOTE, row)

    def _follow(self, tx: Tx, written: Written) -> None:
        """Check a Subscription and keep its live side in step; what we write ourselves is in step already."""
        version, subscription = written.version, written.resource
        if subscription is None:
            states.forget(tx, version.id)
            return
        if written.who == WHO:
            return
        definition = read_definition(self._fhir, subscription)
        most = self._fhir.settings.subscriptions
        if version.version == 1 and tx.query("SELECT count(*) FROM subscription")[0][0] >= most:
            text = f"This server takes {most} Subscriptions. Delete one that is no longer needed."
            raise FhirError.of(Category.BUSY, "throttled", text)
        state = states.OFF if subscription.get("status") == "off" else states.REQUESTED
        states.request(tx, version.id, version.version, state, definition.type, definition.channel)
