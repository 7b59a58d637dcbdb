"""Requests that are answered later: kept with their job, counted for each client, forgotten when they expire.

https://hl7.org/fhir/R4/async.html
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError, Problem
from server.access.caller import Caller
from server.access.standing import ended, still
from server.http.errors import HttpError, outcome_of, status_of
from server.interactions.exchange import Request
from server.jobs.engine import BULK, Interrupted, Jobs, View
from server.jobs.kinds import Kind, Work
from server.settings import Settings
from server.store import Store, Tx
from server.store.keys import secret_id
from server.store.ring import JOBS
from server.telemetry import spans

ACCEPTED, DONE, FAILED = "accepted", "done", "failed"
RETRY_SECONDS = 10  # what a client that is refused is told to wait
_COLUMNS = "id, kind, who, state, created, expires, request, result"
_COUNT = "SELECT count(*), coalesce(sum(CASE WHEN state = 'accepted' THEN 1 ELSE 0 END), 0) FROM later WHERE "


class _Asked(msgspec.Struct):
    """Of a request, who asks."""

    caller: Caller


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

    def belongs_to(self, caller: Caller) -> bool:
        """Whether it is this caller's: others are told that there is none."""
        return self.who == caller.key and caller.holds(msgspec.json.decode(self.request, type=_Asked).caller)


def accept(tx: Tx, jobs: Jobs, kind: Kind, request: Request, settings: Settings, at_once: int | None = None) -> str:
    """Keep a request and queue its job; 429 when this client, or with `at_once` this kind, has as many as it may."""
    tx.lock("later")
    rows = tx.query(f"{_COUNT} who = ?", (request.caller.key,))
    kept, running = rows[0]
    if running >= settings.later_running or kept >= settings.later_kept:
        raise throttled("You have as many requests waiting or kept as this server allows. Fetch or delete some first.")
    if at_once is not None and tx.query(f"{_COUNT} kind = ?", (kind.name,))[0][1] >= at_once:
        raise throttled("As many jobs of this kind as the server allows are running. Try again later.")
    job_id = secret_id()
    row = (job_id, kind.name, request.caller.key, ACCEPTED, _now(), 0, _kept(tx, job_id, request), None)
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
    result = None if row[7] is None else bytes(row[7])
    return _opened(view, Later(*row[:7], result))  # type: ignore[call-arg]


def _kept(tx: Tx, job_id: str, request: Request) -> str:
    """The request as it is kept."""
    return tx.seal_text(JOBS, ("later", job_id, "request"), msgspec.json.encode(request).decode())


def _opened(view: View, found: Later) -> Later:
    sealing = view.sealing
    if sealing is None:
        return found
    request = sealing.read_text(view.query, ("later", found.id, "request"), found.request)
    if found.result is None:
        return msgspec.structs.replace(found, request=request)
    result = sealing.read(view.query, ("later", found.id, "result"), found.result)
    return msgspec.structs.replace(found, request=request, result=result)


def kind(name: str, answer: Callable[[Work, Later], str]) -> Kind:
    """A kind of job that answers such a request and says how it ended; an error is what the client finds."""

    def run(work: Work) -> str:
        found = take(work)
        try:
            return answer(work, found)
        except FhirError as error:
            problem = error
            work.tx_step("refused", lambda tx: fail(tx, work.id, problem, work.settings))
            return "failed"

    return Kind(name, traced(name, run), BULK, lambda fhir, tx, job_id: given_up(tx, job_id, fhir.settings))


def traced(name: str, run: Callable[[Work], str]) -> Callable[[Work], str]:
    """`run` in a span below the request that its job answers, whoever took that and however often it is begun."""

    def within(work: Work) -> str:
        with _span(work, name):
            return run(work)

    return within


def _span(work: Work, name: str) -> AbstractContextManager[spans.Span]:
    if spans.tracing is None:
        return spans.nothing()
    found = find(work.fhir.store, work.id.partition("/")[0])
    parent = spans.read_parent(found.asked.caller.trace.parent) if found else ""
    if found is not None and parent:
        spans.past("queue.wait", found.created * 1_000_000, time.time_ns(), parent=parent)
    return spans.span("job", kind="consumer", parent=parent, attributes={"fhirwright.job": name})


def take(work: Work, job_id: str | None = None) -> Later:
    """The request that a job is about, whose caller is asked again; Interrupted where there is nothing to do."""
    job_id = job_id or work.id
    found = find(work.fhir.store, job_id)
    if found is None:  # removed while it waited
        raise Interrupted
    request = found.asked
    caller = still(work.fhir.store, request.caller, work.settings.data)
    if caller is None:
        work.tx_step("ended", lambda tx: fail(tx, job_id, ended(), work.settings))
        raise Interrupted
    if caller is request.caller:
        return found
    asked = msgspec.structs.replace(request, caller=caller)
    return msgspec.structs.replace(found, request=msgspec.json.encode(asked).decode())


def finish(tx: Tx, job_id: str, result: bytes, settings: Settings, state: str = DONE) -> None:
    """Keep the result of a request, from now until it expires."""
    expires = _now() + settings.later_keep_hours * 3_600_000
    sql = "UPDATE later SET state = ?, result = ?, expires = ? WHERE id = ? AND state = 'accepted'"
    tx.execute(sql, (state, tx.seal(JOBS, ("later", job_id, "result"), result), expires, job_id))


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
