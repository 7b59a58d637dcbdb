"""The hook that notes what a subscription may want to hear of, in the transaction that writes it.

Each process knows which types are wanted and asks again every second; a subscription becomes active no sooner than
every process knows of it. Without subscriptions a write pays for a look at the clock.
"""

from __future__ import annotations

import time

from fhir_profiles.errors import Category, FhirError
from server.access.caller import server_as
from server.access.owning import keep_owner
from server.interactions.fhir import Fhir
from server.store import Tx, Written
from server.store.traces import NOTE
from server.subscriptions import states
from server.subscriptions.definition import read_definition
from server.subscriptions.owners import admit

WHO = "fhirwright-subscriptions"
FRESH_SECONDS = 1.0
SETTLED_MS = 2000
"""How long after a Subscription was written every process notes what it wants."""
STREAM = "$stream"
"""The subscription of the house to what is published to Kafka: an id that no client can give."""

_NOTE = "INSERT INTO outbox (seq, at, type, id, version, change) VALUES (?, ?, ?, ?, ?, ?)"
_WANTED = "SELECT DISTINCT type FROM subscription WHERE state <> 'off'"
_COUNT = "SELECT count(*) FROM subscription WHERE id <> ?"


class Outbox:
    """Put it in `Fhir.on_write`."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self._wanted: frozenset[str] = frozenset()
        self._stale = 0.0
        self._streamed = frozenset(fhir.settings.stream_out_types)

    def __call__(self, tx: Tx, written: Written) -> None:
        """Follow one new version."""
        version = written.version
        if version.type == "Subscription":
            self._follow(tx, written)
        if time.monotonic() >= self._stale:
            # What is committed: a deletion that is rolled back must not make us deaf.
            self._wanted = frozenset(row[0] for row in self._fhir.store.query(_WANTED))
            self._stale = time.monotonic() + FRESH_SECONDS
        if version.type in self._wanted or (self._streamed and is_streamed(self._streamed, version.type)):
            row = (tx.new_rid(), version.updated, version.type, version.id, version.version, version.change)
            tx.later(_NOTE, row)
            if tx.trace:
                tx.later(NOTE, (version.type, version.id, version.version, version.updated, tx.trace))

    def _follow(self, tx: Tx, written: Written) -> None:
        """Check a Subscription and keep its live side in step; what we write ourselves is in step already."""
        version, subscription = written.version, written.resource
        if subscription is None:
            states.forget(tx, version.id)
            return
        if written.who == WHO:
            return
        definition = read_definition(self._fhir, subscription)
        caller = written.caller or server_as(written.who)
        admit(tx, caller, definition, self._fhir.settings.base_url or "")
        keep_owner(tx, version, caller)
        most = self._fhir.settings.subscriptions
        if version.version == 1 and tx.query(_COUNT, (STREAM,))[0][0] >= most:
            text = f"This server takes {most} Subscriptions. Delete one that is no longer needed."
            raise FhirError.of(Category.BUSY, "throttled", text)
        state = states.OFF if subscription.get("status") == "off" else states.REQUESTED
        states.request(tx, version.id, version.version, state, definition.type, definition.channel)


def is_streamed(types: frozenset[str], kind: str) -> bool:
    """Whether changes of a type are published to Kafka, where `types` are."""
    return kind in types or "*" in types
