"""The kinds of durable jobs: what each runs, in which queue, and what a running job has in its hands.

A kind is registered in `server/jobs/registered.py`. Its jobs are queued with `Jobs.enqueue` in the caller's
transaction, may be killed anywhere, and are taken up again: `step` runs at least once, `tx_step` exactly once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from fhir_profiles.errors import Category, FhirError, Problem
from server.interactions.fhir import Fhir
from server.jobs.engine import BACKGROUND, INTERRUPTED, Interrupted, Job, Jobs, Steps
from server.operations.registry import Operations
from server.settings import Settings
from server.store import Store, Tx

log = structlog.get_logger("fhirwright.worker")
_CONFLICTS = 5
_PASSING = frozenset({Category.UNAVAILABLE, Category.BUSY, Category.CONFLICT, Category.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: `run` gets the Work and returns a small JSON value, or raises Interrupted.

    `given_up(fhir, tx, job)` says in the store that a job will not go on: it raised, or its worker died too often.
    """

    name: str
    run: Callable[[Work], Any]
    queue: str = BACKGROUND
    given_up: Callable[[Fhir, Tx, str], None] | None = None

    def job(self, job_id: str, *arguments: str | int | None) -> Job:
        """A job of this kind."""
        return Job(job_id, self.name, arguments, self.queue)


@dataclass(frozen=True, slots=True)
class Work:
    """One job that runs: its id and arguments, and all that it may use."""

    id: str
    arguments: tuple[Any, ...]
    fhir: Fhir
    operations: Operations
    settings: Settings
    jobs: Jobs
    steps: Steps

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        """The value of `function()`, run at least once and never again after its record is kept."""
        return self.steps.step(name, function)

    def tx_step(self, name: str, operation: Callable[..., Any], prepare: Callable[[], Any] | None = None) -> Any:
        """The value of `operation(tx)`, exactly once; `operation` may call `note_progress(tx, …)`.

        With `prepare` it is `operation(tx, prepare())`: what takes long is done before the transaction. Raises
        Interrupted when the job was cancelled, FhirError when the operation does.
        """
        value = self.steps.tx_step(name, operation, prepare)
        if isinstance(value, dict) and "refused" in value:
            problems = (Problem(*problem) for problem in value["problems"])
            raise FhirError(Category(value["refused"]), *problems)
        return value

    def note_progress(self, tx: Tx, done: int, of: int | None = None) -> None:
        """Let status say how far the job is, when the transaction commits."""
        self.jobs.note_progress(tx, self.id, done, of)


def patient_write(store: Store) -> Callable[[Callable[[Tx], Any]], Any]:
    """Runs an operation in a transaction: waits while the database is away, makes a refusal a value."""

    def write(operation: Callable[[Tx], Any]) -> Any:
        wait, conflicts = 0.1, 0
        while True:
            try:
                return store.write_sync(operation)
            except FhirError as error:
                conflicts += error.category is Category.CONFLICT
                if error.category not in _PASSING or conflicts > _CONFLICTS:
                    problems = [[p.severity, p.code, p.text, p.expression] for p in error.problems]
                    return {"refused": error.category.value, "problems": problems}
            except Interrupted:
                return INTERRUPTED
            log.warning("worker.waits", seconds=wait)
            time.sleep(wait)
            wait = min(wait * 2, 2.0)

    return write


def sweep(fhir: Fhir, kinds: Iterable[Kind]) -> None:
    """Close the jobs that were given up: they raised, or their worker died again and again."""
    schema = "dbos." if fhir.store.dialect == "postgresql" else ""
    for kind in kinds:
        if kind.given_up is not None:
            for (job,) in fhir.store.query(_LOST.format(schema=schema), (kind.name,)):
                fhir.store.write_sync(partial(_close, fhir, kind, job))


def _close(fhir: Fhir, kind: Kind, job: str, tx: Tx) -> None:
    if kind.given_up is not None:
        kind.given_up(fhir, tx, job)
    tx.execute(_CLOSE, (job,))


_CLOSE = "INSERT INTO job_step (job, step, output) VALUES (?, 'closed', 'null') ON CONFLICT DO NOTHING"
_LOST = """SELECT w.workflow_uuid FROM {schema}workflow_status w
 WHERE w.status IN ('ERROR', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED') AND w.name = ?
 AND NOT EXISTS (SELECT 1 FROM job_step s WHERE s.job = w.workflow_uuid AND s.step = 'closed')"""
