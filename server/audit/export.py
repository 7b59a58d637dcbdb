"""The audit trail as NDJSON: AuditEvents, with what proves them or alone (http://ndjson.org)."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

from fhir_profiles import json
from server.store import Store
from server.store.ledger import leaf

from .chain import rows_of, within
from .event import decode
from .hiding import reveal
from .render import render


def write_events(store: Store, path: Path, *, since: int = 0, until: int | None = None, proofs: bool) -> int:
    """Write the events after number `since` up to `until`; how many lines. The file is on the disk afterwards.

    With `proofs` a line is an event: number, the bytes that were hashed and their hash, of the last event of a row the
    hash of the chain there, and its AuditEvents; else a line is an AuditEvent.
    """
    count = 0
    with path.open("wb") as file:
        for seq, kept, end in _numbered(store):
            if seq <= since or (until is not None and seq > until):
                continue
            told = list(render(seq, reveal(store.sealing, decode(kept))))
            lines = told
            if proofs:
                proof = {"seq": seq, "hash": leaf(kept).hex(), "data": base64.b64encode(kept).decode()}
                lines = [{"proof": proof | ({"chain": end.hex()} if end else {}), "events": told}]
            file.write(b"".join(json.encode(line) + b"\n" for line in lines))
            count += len(lines)
        file.flush()
        os.fsync(file.fileno())
    return count


def _numbered(store: Store) -> Iterator[tuple[int, bytes, bytes]]:
    """Number and bytes of all events, with the hash of the chain after those that end a row."""
    for row in rows_of(store):
        for seq, kept in within(row):
            yield seq, kept, row.hash if seq == row.seq else b""
