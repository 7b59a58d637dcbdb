"""Requests that are answered later: kept with their job, counted for each client, forgotten when they expire.

https://hl7.org/fhir/R4/async.html
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError, Problem
from server.http.errors import HttpError, outcome_of, status_of
from server.interactions.exchange import Request
from server.jobs.engine import Jobs, View
from server.jobs.kinds import Kind
from server.settings import Settings
from server.store import Store, Tx
from server.store.keys import new_id

ACCEPTED, DONE, FAILED = "accepted", "done", "failed"
RETRY_SECONDS = 10  # what a client that is refused is told to wait
_COLUMNS = "id, kind, who, state, created, expires, request, result"
_COUNT = "SELECT count(*), coalesce(sum(CASE WHEN state = 'accepted' THEN 1 ELSE 0 END), 0) FROM later WHERE "


class Later(msgspec.Struct, frozen=True):
    """One such request; times in milliseconds since 1970, `expires` is 0 while it runs."""

    id: str
    kind: str
    who: str
    state: str
    created: int
    expires: int
    request: str
    result: bytes | None

    @property
    def asked(self) -> Request:
        """The request as it came."""
        return msgspec.json.decode(self.request, type=Request)


def accept(tx: Tx, jobs: Jobs, kind: Kind, request: Request, settings: Settings, at_once: int | None = None) -> str:
    """Keep a request and queue its job; 429 when this client, or with `at_once` this kind, has as many as it may."""
    tx.lock("later")
    rows = tx.query(f"{_COUNT} who = ?", (request.who,))
    kept, running = rows[0]
    if running >= settings.later_running or kept >= settings.later_kept:
        raise throttled("You have as many requests waiting or kept as this server allows. Fetch or delete some first.")
    if at_once is not None and tx.query(f"{_COUNT} kind = ?", (kind.name,))[0][1] >= at_once:
        raise throttled("As many jobs of this kind as the server allows are running. Try again later.")
    job_id = new_id()
    row = (job_id, kind.name, request.who, ACCEPTED, _now(), 0, msgspec.json.encode(request).decode(), None)
    tx.execute(f"INSERT INTO later ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    jobs.enqueue(tx, kind.job(job_id))
    return job_id


def throttled(text: str) -> HttpError:
    """429 with the time after which to try again."""
    headers = ((b"retry-after", b"%d" % RETRY_SECONDS),)
    return HttpError(429, "throttled", text, category=Category.BUSY, headers=headers)


def find(view: View, job_id: str) -> Later | None:
    """The request with this id, unless it has expired."""
    rows = view.query(f"SELECT {_COLUMNS} FROM later WHERE id = ?", (job_id,))
    if not rows or 0 < rows[0][5] < _now():
        return None
    row = rows[0]
    return Later(*row[:7], None if row[7] is None else bytes(row[7]))  # type: ignore[call-arg]


def finish(tx: Tx, job_id: str, result: bytes, settings: Settings, state: str = DONE) -> None:
    """Keep the result of a request, from now until it expires."""
    expires = _now() + settings.later_keep_hours * 3_600_000
    sql = "UPDATE later SET state = ?, result = ?, expires = ? WHERE id = ? AND state = 'accepted'"
    tx.execute(sql, (state, result, expires, job_id))


def fail(tx: Tx, job_id: str, error: FhirError, settings: Settings) -> None:
    """Keep why a request could not be answered: the status and the OperationOutcome."""
    finish(tx, job_id, failure(error), settings, FAILED)


def failure(error: FhirError) -> bytes:
    """The status and the OperationOutcome of an error, as they are kept."""
    return msgspec.json.encode({"status": status_of(error), "outcome": outcome_of(error)})


def given_up(tx: Tx, job_id: str, settings: Settings) -> None:
    """Say that the job of a request will not go on."""
    text = "The server failed again and again on this request. It was given up; ask the operator, or try again."
    fail(tx, job_id, FhirError(Category.FAULT, Problem("fatal", "exception", text)), settings)


def remove(tx: Tx, jobs: Jobs, job_id: str) -> None:
    """Cancel the job and forget the request with all that came of it."""
    jobs.cancel(tx, job_id)
    for table, column in (("later", "id"), ("later_chunk", "request"), ("job_progress", "job")):
        tx.execute(f"DELETE FROM {table} WHERE {column} = ?", (job_id,))


def prune(store: Store, jobs: Jobs) -> int:
    """Forget what has expired; how many requests that were."""
    ids = store.query("SELECT id FROM later WHERE expires > 0 AND expires < ? LIMIT 1000", (_now(),))
    for (job_id,) in ids:
        store.write_sync(lambda tx, job_id=job_id: remove(tx, jobs, job_id))  # type: ignore[misc]
    return len(ids)


def counts(store: Store) -> dict[tuple[str, str], int]:
    """Requests by kind and state, for the metrics."""
    rows: list[tuple[Any, ...]] = store.query("SELECT kind, state, count(*) FROM later GROUP BY kind, state")
    return {(kind, state): count for kind, state, count in rows}


def _now() -> int:
    return time.time_ns() // 1_000_000
