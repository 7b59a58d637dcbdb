"""What is counted of streams, in the database, so that every server's metrics tell it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from server.store import Store, Tx
from server.subscriptions.outbox import STREAM

FATES = ("stored", "superseded", "known", "quarantined")
_EVERY_SECONDS = 2.0
_ADD = (
    "INSERT INTO stream_count (name, label, value) VALUES (?, ?, ?) ON CONFLICT (name, label) DO UPDATE SET"
    " value = stream_count.value + excluded.value"
)
_SET = (
    "INSERT INTO stream_count (name, label, value) VALUES (?, ?, ?) ON CONFLICT (name, label) DO UPDATE SET"
    " value = excluded.value"
)
Figures = dict[str, tuple[str, str, Mapping[str, float]]]


class Counts:
    """Counts of one process, written down every other second; what a kill loses are figures."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fates: Counter[str] = Counter()
        self.lag: dict[str, int] = {}
        self._due = 0.0

    def keep(self, *, now: bool = False) -> None:
        """Write down what has gathered, when it is time."""
        if not now and time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY_SECONDS
        fates, lag = self.fates, self.lag
        self.fates, self.lag = Counter(), {}
        if fates or lag:

            def write(tx: Tx) -> None:
                for fate, number in sorted(fates.items()):
                    tx.later(_ADD, ("messages", fate, number))
                for place, number in sorted(lag.items()):
                    tx.later(_SET, ("lag", place, number))

            self._store.write_sync(write)


def counted(store: Store, name: str) -> dict[str, int]:
    """What was counted under a name, by label."""
    return dict(store.query("SELECT label, value FROM stream_count WHERE name = ? ORDER BY label", (name,)))


def published(store: Store) -> tuple[int, int]:
    """The number of the last published event, and how many wait."""
    rows = store.query("SELECT delivered, events - delivered FROM subscription WHERE id = ?", (STREAM,))
    return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)


def figures(store: Store) -> Figures:
    """Gauges by name: a description, the name of the label, a value for each label."""
    done, waiting = published(store)
    return {
        "fhirwright_stream_messages": ("Messages of Kafka by what became of them.", "fate", counted(store, "messages")),
        "fhirwright_stream_lag": ("Messages that wait, by topic and partition.", "partition", counted(store, "lag")),
        "fhirwright_stream_published": ("Events that were published to Kafka.", "", {"": done}),
        "fhirwright_stream_waiting": ("Events that wait to be published to Kafka.", "", {"": waiting}),
    }
