"""The audit trail of a process: what is no write goes through its spool, and a thread chains it in the database."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import Counter, Histogram

from server.observability import describe
from server.settings import Settings
from server.store import Store, Tx
from server.store.ledger import Line

from .checkpoints import Checkpoints
from .event import Event, encode, lines_of
from .hiding import hide
from .place import directory
from .spool import Spool, lines_from, orphans

CHAINED = Counter("fhirwright_audit_events_total", "Events of reads and refusals that went into the chain.")
LAG = Histogram("fhirwright_audit_lag_seconds", "From an event to its place in the chain.", buckets=(0.5, 1, 2, 5, 30))
FAILED = Counter("fhirwright_audit_failures_total", "Times that events could not be chained; they wait in the spool.")
PAUSE = 1.0
"""Seconds between two looks at the spool."""

SEARCHED = 30.0
"""Seconds at most between two looks for what other processes left, and for what no checkpoint signs yet."""

_POSITION = "SELECT position FROM audit_spool WHERE name = ?"
_log = structlog.get_logger("audit")


class Trail:
    """Keeps events. The files are made with the first one; `close` chains what waits."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._spool: Spool | None = None
        self._folder: Path | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._waiting = False
        self._closing = False
        self._idle = min(SEARCHED, max(PAUSE, settings.audit_checkpoint_seconds))
        self._thread: threading.Thread | None = None
        self._checkpoints: Checkpoints | None = None
        store.before_close(self.close)

    def start(self) -> None:
        """Begin to look after the spool, and what earlier processes left there."""
        with self._lock:
            if self._spool is None and not self._closing:
                folder = directory(self._store, self._settings)
                self._folder = folder
                self._spool = Spool(folder, sync=self._settings.audit_sync)
                self._checkpoints = Checkpoints(self._store, folder, self._settings)
                self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
                self._thread.start()

    def keep(self, *events: Event) -> None:
        """Have events survive this process; FhirError (503) where that is not possible."""
        self.keep_lines([encode(event) for event in events])

    def keep_lines(self, lines: list[bytes]) -> None:
        """The same for events that are encoded."""
        if self._store.sealing is not None:
            lines = [hide(self._store.sealing, line, self._unknown) for line in lines]
        if self._spool is None:
            self.start()
        if (spool := self._spool) is not None:
            whole = lines[0] + b"\n" if len(lines) == 1 else b"\n".join(lines) + b"\n"
            with self._lock:
                spool.write(whole)
            if not self._waiting:
                self._waiting = True
                self._wake.set()

    def close(self) -> None:
        """Chain what waits, sign it, and stop."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        if self._spool is not None:
            self._spool.close()

    def chain(self) -> None:
        """Chain what is in the spool now, of this process and of those that ended; sign when it is time."""
        spool, folder = self._spool, self._folder
        if spool is None or folder is None or self._checkpoints is None:
            return
        for name in list(spool.opened):
            complete = name != spool.name
            self._take(folder / name)
            if complete:
                self._forget(name)
                with self._lock:
                    spool.remove(name)
        for orphan in orphans(folder, spool.opened):
            self._take(orphan.path)
            orphan.path.unlink(missing_ok=True)
            self._forget(orphan.path.name)

    def _run(self) -> None:
        searched = 0.0
        while not self._closing:
            if self._waiting or time.monotonic() - searched > self._idle:
                self._waiting = False
                searched = time.monotonic()
                self._attempt()
                self._wake.clear()
                self._pause()
            else:
                self._wake.wait(self._idle)
        self._attempt(last=True)

    def _pause(self) -> None:
        """Let events gather, unless the process ends."""
        until = time.monotonic() + PAUSE
        while not self._closing and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))

    def _attempt(self, *, last: bool = False) -> None:
        try:
            self.chain()
            if self._checkpoints is not None:
                self._checkpoints.advance(last=last)
        except Exception as error:
            FAILED.inc()
            self._waiting = not last
            _log.error("events wait in the spool: the database does not take them", **describe(error))

    def _unknown(self, kind: str, name: str) -> bool:
        return self._store.read(kind, name) is None

    def _take(self, path: Path) -> None:
        """Chain the lines of a file that are new."""
        rows = self._store.query(_POSITION, (path.name,))
        begin = int(rows[0][0]) if rows else 0
        for lines, end in lines_from(path, begin):
            events = lines_of(lines)
            if not self._store.write_sync(partial(_chain, name=path.name, begin=begin, end=end, events=events)):
                return
            CHAINED.inc(len(events))
            LAG.observe(max(0.0, time.time() - events[0].at / 1e6))
            begin = end

    def _forget(self, name: str) -> None:
        self._store.write_sync(lambda tx: tx.execute("DELETE FROM audit_spool WHERE name = ?", (name,)))


def _chain(tx: Tx, name: str, begin: int, end: int, events: list[Line]) -> bool:
    """Chain lines exactly once: with them goes the position behind them. False when somebody was faster."""
    tx.lock("audit_spool")
    known = tx.query(_POSITION, (name,))
    if (int(known[0][0]) if known else 0) != begin:
        return False
    if known:
        tx.execute("UPDATE audit_spool SET position = ? WHERE name = ?", (end, name))
    else:
        tx.execute("INSERT INTO audit_spool (name, position) VALUES (?, ?)", (name, end))
    tx.audit(*events)
    return True
