"""What a worker does for learning by the clock: begin runs and looks, end shadows. Of many machines one does each.

The row that says so is made in the transaction that queues the job, and is named by the number of the period.
"""

from __future__ import annotations

import time
from functools import partial

import structlog

from server.jobs.engine import Jobs
from server.learning import agree, registry, run, watch
from server.settings import Settings
from server.store import Store, Tx

log = structlog.get_logger("fhirwright.learning")
_HOUR = 3600
_ENOUGH = "SELECT 1 FROM resource WHERE type = 'Provenance' LIMIT 1 OFFSET ?"


class Duty:
    """Looks at the clock; asks the database only when a period begins, or while a version is in the shadow."""

    def __init__(self, store: Store, jobs: Jobs, settings: Settings) -> None:
        self._store, self._jobs, self._settings = store, jobs, settings
        self._begun: dict[str, int] = {}

    def tick(self, now: float | None = None) -> None:
        """Do what is due."""
        now = time.time() if now is None else now
        for kind, hours in (("run", self._settings.learn_hours), ("watch", self._settings.learn_watch_hours)):
            number = int(now // (hours * _HOUR)) if hours else 0
            if hours and self._begun.get(kind) != number:
                begin = self._run if kind == "run" else self._watch
                if self._store.write_sync(partial(begin, number, int(now))):
                    log.info("learning.begun", kind=kind)
                self._begun[kind] = number
        if registry.challenger(self._store) is not None:
            verdict = self._store.write_sync(self._settle)
            if verdict is not None:
                log.info("learning.settled", verdict=verdict)

    def _settle(self, tx: Tx) -> str | None:
        verdict = run.settle(tx, self._settings)
        if verdict is not None:
            self._jobs.enqueue(tx, agree.KIND.job(f"learn-agree-{tx.now}"))
        return verdict

    def _run(self, number: int, _now: int, tx: Tx) -> bool:
        return run.begin(tx, self._jobs, f"learn-run-{self._settings.learn_hours}-{number}")

    def _watch(self, number: int, now: int, tx: Tx) -> bool:
        tx.lock(registry.LOCK)
        if not tx.query(_ENOUGH, (2 * self._settings.learn_watch_documents - 1,)):
            return False  # not even every document decided on would be enough
        name = f"learn-watch-{self._settings.learn_watch_hours}-{number}"
        if tx.query("SELECT 1 FROM learn_watch WHERE id = ?", (name,)):
            return False
        tx.execute("DELETE FROM learn_watch WHERE id <> ?", (watch.LAST,))
        tx.execute("INSERT INTO learn_watch (id, at, data) VALUES (?, ?, '{}')", (name, tx.now // 1000))
        self._jobs.enqueue(tx, watch.KIND.job(name, now))
        return True
