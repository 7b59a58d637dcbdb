"""What the metrics tell of the audit trail, as counted just now (https://prometheus.io/docs/practices/instrumentation/)."""

from __future__ import annotations

import time
from pathlib import Path

from server.store import Store

from .spool import SUFFIX, filled

Figures = dict[str, tuple[str, str, dict[str, int]]]
_CHAIN = "SELECT coalesce(max(seq), 0) FROM audit_event"
_SIGNED = "SELECT max(seq), max(at) FROM audit_checkpoint"


def figures(store: Store, folder: Path) -> Figures:
    """Gauges by name: a description, no label, a value. The age has one once there is a checkpoint."""
    [(last,)] = store.query(_CHAIN)
    [(signed, at)] = store.query(_SIGNED)
    age = None if at is None else max(0, int(time.time() - int(at) / 1e6))
    found: dict[str, tuple[str, int | None]] = {
        "fhirwright_audit_chain_length": ("Number of the last event of the audit chain.", int(last)),
        "fhirwright_audit_unsigned_events": ("Events that no checkpoint signs yet.", int(last) - int(signed or 0)),
        "fhirwright_audit_spool_bytes": ("Bytes of events that wait to be chained.", _waiting(store, folder)),
        "fhirwright_audit_checkpoint_age_seconds": ("Seconds since the last checkpoint was signed.", age),
    }
    return {name: (text, "", {} if value is None else {"": value}) for name, (text, value) in found.items()}


def _waiting(store: Store, folder: Path) -> int:
    """Bytes of spool files behind the position up to which they are chained."""
    taken = {str(name): int(position) for name, position in store.query("SELECT name, position FROM audit_spool")}
    waiting = 0
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            waiting += filled(path, taken.get(path.name, 0))
        except FileNotFoundError:  # chained and removed meanwhile
            continue
    return waiting
