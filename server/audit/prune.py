"""Taking away events that need not be kept any longer, so that what is left can still be proved.

The chain is cut behind an event that a checkpoint signs by its hash; a signed line among the checkpoints tells of it,
and an event at the end of the chain.
"""

from __future__ import annotations

import time
from pathlib import Path

from fhir_profiles.errors import Category, FhirError
from server.settings import Settings
from server.store import Store, Tx
from server.store.ledger import SPAN
from server.store.pruning import remove_events

from .checkpoints import FILE, Checkpoints
from .event import Event, line_of, lines_of
from .verify import verify

_FIRST_KEPT = "SELECT min(seq - events + 1) FROM audit_event WHERE at >= ?"


def last_before(store: Store, before: int) -> tuple[int, str] | None:
    """The last event that can go so that all from `before` on (microseconds) stay, and its hash; None for none.

    It ends a row and is one that a checkpoint signs, and never the last of all: what comes next follows from that.
    """
    [(kept,)] = store.query(_FIRST_KEPT, (before - SPAN,))
    [(newest,)] = store.query("SELECT max(seq) FROM audit_event")
    if newest is None:
        return None
    rows = store.query(
        "SELECT seq, hash FROM audit_event WHERE seq = (SELECT max(c.seq) FROM audit_checkpoint c WHERE c.seq < ?)",
        (newest if kept is None else min(int(kept), int(newest)),),
    )
    return (int(rows[0][0]), bytes(rows[0][1]).hex()) if rows else None


def prune(store: Store, settings: Settings, folder: Path, last: int, hash_: str) -> int:
    """Take away the events up to `last`; how many. FhirError where the trail is not whole: what it shows must stay."""
    path = folder / FILE
    if not verify(store, path.read_text() if path.exists() else "").whole:
        text = "The audit trail is not whole; `fhirwright audit verify` tells where. Nothing was taken away."
        raise FhirError.of(Category.CONFLICT, "conflict", text)
    Checkpoints(store, folder, settings).tell_pruned(last, hash_)

    def run(tx: Tx) -> int:
        gone = remove_events(tx, last, lambda some: [line.keys for line in lines_of(some)])
        tx.audit(line_of(Event(time.time_ns() // 1000, "prune", 200, who="fhirwright", detail=str(last))))
        return gone

    return store.write_sync(run)
