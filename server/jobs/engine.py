"""Durable jobs in five calls: enqueue and cancel in the caller's transaction, status, step, transactional step.

DBOS (https://docs.dbos.dev/python) keeps the jobs in tables beside the resources. A process that only enqueues never
imports it: it writes the same rows that `DBOSClient.enqueue_in_transaction` would (a test compares them), in 20 us
instead of 210 and without a second of imports.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from fhir_profiles.errors import FhirError
from server.store.keys import new_id
from server.store.sealing import TEXT, Sealing

QUEUE = "documents"
BACKGROUND = "background"
BULK = "bulk"  # what may take hours, so that what takes seconds does not wait for it
APPLICATION = "fhirwright"
INTERRUPTED = "interrupted"  # the value of a transactional step whose job is no longer ours
VERSION = "1"  # of the shape of our jobs; a change makes workers leave older running jobs alone


class Transaction(Protocol):
    """A live transaction of the store; parameters are marked `?`."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement that writes; how many rows it changed."""

    def later(self, sql: str, row: Sequence[Any]) -> None:
        """Run a statement that writes together with its like from other operations, before the commit."""

    def flush(self) -> None:
        """Run now what was put off."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""


class View(Protocol):
    """Something to read from: the store, or a transaction."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""

    @property
    def sealing(self) -> Sealing | None:
        """How the database is sealed."""


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # ended in an error that the job itself did not handle
    CANCELLED = "cancelled"


_PROGRESS = (
    "INSERT INTO job_progress (job, done, total, at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (job) DO UPDATE SET done = excluded.done, total = excluded.total, at = excluded.at"
)
_STATES = {
    "ENQUEUED": State.QUEUED,
    "DELAYED": State.QUEUED,
    "PENDING": State.RUNNING,
    "SUCCESS": State.DONE,
    "CANCELLED": State.CANCELLED,
    "ERROR": State.FAILED,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": State.FAILED,
}


@dataclass(frozen=True, slots=True)
class Job:
    """A job to run: `id` is unique and deterministic, `name` a registered workflow, `arguments` plain JSON values."""

    id: str
    name: str
    arguments: tuple[str | int | None, ...] = ()
    queue: str = QUEUE


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is; `of` is None while it is not known how much there is to do."""

    done: int
    of: int | None


class Interrupted(Exception):
    """The job is no longer this worker's: it was cancelled, or another execution finished the step."""


class Faulted(Exception):
    """A step raised an error that nothing expected; only its kind is told."""


class Jobs:
    """The calls that need nothing but a transaction; `enqueue` of an id that exists does nothing."""

    def __init__(self, *, postgres: bool) -> None:
        schema = "dbos." if postgres else ""
        self._status = f"SELECT status FROM {schema}workflow_status WHERE workflow_uuid = ?"
        self._insert = (
            f"INSERT INTO {schema}workflow_status (workflow_uuid, status, name, queue_name, recovery_attempts,"
            " priority, serialization, created_at, updated_at, creator_xid)"
            " VALUES (?, 'ENQUEUED', ?, ?, 0, 0, 'portable_json', ?, ?, ?)"
            " ON CONFLICT (workflow_uuid) DO NOTHING"
        )
        self._insert_input = (
            f"INSERT INTO {schema}workflow_input (workflow_uuid, inputs) VALUES (?, ?)"
            " ON CONFLICT (workflow_uuid) DO NOTHING"
        )
        self._cancel = (
            f"UPDATE {schema}workflow_status SET status = 'CANCELLED', owner_xid = NULL, queue_name = NULL,"
            " started_at_epoch_ms = NULL, updated_at = ?, completed_at = ?"
            " WHERE workflow_uuid = ? AND status IN ('ENQUEUED', 'DELAYED', 'PENDING')"
        )

    def enqueue(self, tx: Transaction, job: Job) -> None:
        """Queue `job` in the caller's transaction: it exists when, and only when, that commits."""
        now = time.time_ns() // 1_000_000
        tx.later(self._insert, (job.id, job.name, job.queue, now, now, new_id()))
        inputs = json.dumps(
            {"namedArgs": {}, "positionalArgs": job.arguments}, separators=(",", ":"), ensure_ascii=False
        )
        tx.later(self._insert_input, (job.id, inputs))

    def status(self, view: View, job_id: str) -> State | None:
        """Where the job stands; None when there is no such job."""
        rows = view.query(self._status, (job_id,))
        return _STATES[rows[0][0]] if rows else None

    def progress(self, view: View, job_id: str) -> Progress | None:
        """How far the job is; None when it has not said so."""
        rows = view.query("SELECT done, total FROM job_progress WHERE job = ?", (job_id,))
        return Progress(rows[0][0], rows[0][1] or None) if rows else None

    def note_progress(self, tx: Transaction, job_id: str, done: int, of: int | None = None) -> None:
        """Say how far a job is, when the transaction commits."""
        tx.execute(_PROGRESS, (job_id, done, of or 0, time.time_ns() // 1_000_000))

    def cancel(self, tx: Transaction, job_id: str) -> None:
        """Take the job from the queue; one that runs ends before its next step. A job that is over stays as it is."""
        now = time.time_ns() // 1_000_000
        tx.flush()  # the job may have been queued in this very transaction
        tx.execute(self._cancel, (now, now, job_id))


class Steps:
    """The two calls of a running job (in a worker only). A value is plain JSON and small: it is kept with the job.

    Where the database is sealed, values are too, bound to their job and step.
    """

    def __init__(
        self, jobs: Jobs, write: Callable[[Callable[[Any], Any]], Any], sealing: Sealing | None = None
    ) -> None:
        self._jobs = jobs
        self._write = write  # runs an operation in a transaction of the store and answers after its commit
        self._sealing = sealing

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        """The value of `function()`, run at least once and never again after its record is kept."""
        from dbos import DBOS

        job_id = str(DBOS.workflow_id)

        def run() -> Any:
            try:
                return self._kept(job_id, name, function())
            except (FhirError, Interrupted):
                raise
            except Exception as error:  # DBOS keeps the text of an error, which may quote data
                raise Faulted(type(error).__name__) from None

        return self._opened(job_id, name, DBOS.run_step({"name": name}, run))

    def tx_step(self, name: str, operation: Callable[..., Any], prepare: Callable[[], Any] | None = None) -> Any:
        """The value of `operation(tx)`: what it writes and the record of this step commit together, exactly once.

        With `prepare` it is `operation(tx, prepare())`: what takes long is done before the transaction, and not at all
        when the step is on record. Raises Interrupted when the job was cancelled; then nothing is written.
        """
        from dbos import DBOS

        job_id = str(DBOS.workflow_id)

        def once(tx: Any) -> Any:
            rows = tx.query("SELECT output FROM job_step WHERE job = ? AND step = ?", (job_id, name))
            if rows:
                return self._opened(job_id, name, json.loads(rows[0][0]))
            if self._jobs.status(tx, job_id) is not State.RUNNING:
                return INTERRUPTED
            value = operation(tx, *prepared)
            kept = json.dumps(self._kept(job_id, name, value))
            tx.execute("INSERT INTO job_step (job, step, output) VALUES (?, ?, ?)", (job_id, name, kept))
            return value

        prepared: tuple[Any, ...] = ()

        def run() -> Any:
            nonlocal prepared
            prepared = () if prepare is None else (prepare(),)
            return self._write(once)

        value = self.step(name, run)
        if value == INTERRUPTED:
            raise Interrupted
        return value

    def _kept(self, job_id: str, name: str, value: Any) -> Any:
        """A value as it is kept."""
        return value if self._sealing is None else self._sealing.hide(("job_step", job_id, name), json.dumps(value))

    def _opened(self, job_id: str, name: str, kept: Any) -> Any:
        """Such a value; what was kept while the database was clear is read as it is."""
        if self._sealing is None or not isinstance(kept, str) or not kept.startswith(TEXT):
            return kept
        return json.loads(self._sealing.reveal(("job_step", job_id, name), kept))
