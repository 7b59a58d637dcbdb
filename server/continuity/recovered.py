"""The audit after a restore: its checkpoints as far as the chain goes; a signed line and an event that tell of it."""

from __future__ import annotations

import time
from pathlib import Path

from server.audit.checkpoints import FILE, Checkpoint, Checkpoints, holding, read_checkpoints
from server.audit.event import Event, line_of
from server.settings import Settings
from server.store import Store, Tx

_INSERT = "INSERT INTO audit_checkpoint (seq, signer, at, line) VALUES (?, ?, ?, ?)"


def tell(store: Store, settings: Settings, folder: Path, detail: str) -> int:
    """Make the checkpoints and the chain agree again, and tell of the restore in both; the last event before it.

    Checkpoints of events that the chain does not have any more stay in the file; a line after them says so.
    """
    path = folder / FILE
    [(head, hash_)] = store.query("SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1") or [(0, b"")]
    known = [str(row[0]) for row in store.query("SELECT line FROM audit_checkpoint ORDER BY seq, at")]
    text = path.read_text() if path.exists() else ""
    lines = text.splitlines()
    if more := [line for line in known if line not in set(lines)]:  # the copy of the file was older
        path.write_text(text + "".join(f"{line}\n" for line in more))
        lines += more
    entries = list(read_checkpoints("\n".join(lines)))
    missing = [
        (line, told) for line, told in holding(entries)
        if isinstance(told, Checkpoint) and told.seq <= head and line not in set(known)
    ]  # fmt: skip

    def run(tx: Tx) -> None:
        for line, told in missing:
            tx.execute(_INSERT, (told.seq, told.signer, told.at, line))
        tx.audit(line_of(Event(time.time_ns() // 1000, "restore", 200, who="fhirwright", detail=detail)))

    checkpoints = Checkpoints(store, folder, settings)
    if entries:
        checkpoints.tell_restored(int(head), bytes(hash_).hex())
    store.write_sync(run)
    checkpoints.advance(last=True)
    return int(head)
