"""One API, some workers and a PostgreSQL for the scale benchmark, with the CPU that each of them has used."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import psycopg

from benchmarks._scale_batch import Sent
from campaigns.killing.processes import Process

HEADERS = {"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}
_POLL = 0.2


class Used(msgspec.Struct, frozen=True):
    """CPU seconds of a stretch: of the API, of workers with those that read for them, of the database."""

    api: float
    workers: float
    database: float

    @property
    def whole(self) -> float:
        """All three."""
        return self.api + self.workers + self.database

    def since(self, before: Used) -> Used:
        """What was used after `before`."""
        return Used(self.api - before.api, self.workers - before.workers, self.database - before.database)


class Fleet:
    """The processes over one empty database; workers are held until `go`."""

    def __init__(self, url: str, data: Path, port: int) -> None:
        self.url = url
        self.base_url = f"http://127.0.0.1:{port}/fhir/"
        self._environment = {
            **os.environ, "FHIRWRIGHT_DATABASE": url, "FHIRWRIGHT_DATA": str(data), "FHIRWRIGHT_WORKER_DOCUMENTS": "1",
            "FHIRWRIGHT_LOG_FORMAT": "json", "FHIRWRIGHT_LOG_REQUESTS": "problems",
        }  # fmt: skip
        self.server = Process(["serve", "--no-worker", "--open", "--port", str(port)], self._environment, port)
        self.workers: list[Process] = []
        self._watch = psycopg.connect(url, autocommit=True)

    def start(self, workers: int) -> None:
        """Start workers in slots 0, 1, … and wait until all are ready."""
        _ready(self.server)
        self.workers = [Process(["worker", "--slot", str(slot)], self._environment) for slot in range(workers)]
        for worker in self.workers:
            _ready(worker)

    def confine(self, cores: int) -> None:
        """Let everything, API, workers and database, run on the first so many cores only."""
        for process in (psutil.Process(self.server.pid), *self._of_workers(), *self._of_database()):
            with contextlib.suppress(psutil.NoSuchProcess):
                for thread in process.threads():  # the kernel knows threads; those to come do as their makers
                    with contextlib.suppress(ProcessLookupError):
                        os.sched_setaffinity(thread.id, range(cores))

    def send(self, documents: Sequence[Sent]) -> None:
        """Put documents, one after the other."""
        with httpx.Client(base_url=self.base_url, headers=HEADERS, timeout=60) as client:
            for one in documents:
                client.put(f"DocumentReference/{one.id}", content=one.body).raise_for_status()

    def hold(self) -> None:
        """Stop the workers where they are."""
        for process in self._of_workers():
            process.suspend()

    def go(self) -> None:
        """Let them work."""
        for process in reversed(self._of_workers()):
            process.resume()

    def done(self) -> int:
        """How many documents are coded."""
        row = self._watch.execute(
            "SELECT count(*) FROM resource WHERE type = 'Task' AND change <> 'D' AND body LIKE %s", (_COMPLETED,)
        ).fetchone()
        assert row is not None
        return int(row[0])

    def wait_for(self, count: int, seconds: float = 1800) -> float:
        """Wait until `count` documents are coded; the moment, on the monotonic clock."""
        until = time.monotonic() + seconds
        while self.done() < count:
            if time.monotonic() > until:
                raise RuntimeError(f"{self.done()} of {count} documents were coded in time")
            time.sleep(_POLL)
        return time.monotonic()

    def used(self) -> Used:
        """CPU up to now; of processes that have ended as far as their parents waited for them."""
        api = [psutil.Process(self.server.pid), *psutil.Process(self.server.pid).children(recursive=True)]
        return Used(_cpu(api), _cpu(self._of_workers()), _cpu(self._of_database()))

    def memory(self) -> tuple[int, int]:
        """Resident bytes of the API, and of one worker with the process that reads for it."""
        each = max(1, len(self.workers))
        return psutil.Process(self.server.pid).memory_info().rss, _memory(self._of_workers()) // each

    def log_bytes(self) -> int:
        """How much write-ahead log was written since the database exists."""
        return int(self._one("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))

    def stored_bytes(self) -> int:
        """The size of the database."""
        return int(self._one("SELECT pg_database_size(current_database())"))

    def times(self) -> list[tuple[float, float]]:
        """Of each coded document: seconds since the epoch at which it was asked for and at which it was done."""
        rows = self._watch.execute(
            "SELECT body FROM resource WHERE type = 'Task' AND change <> 'D' AND body LIKE %s", (_COMPLETED,)
        ).fetchall()
        return [_asked_and_done(bytes(row[0])) for row in rows]

    def _one(self, sql: str) -> Any:
        row = self._watch.execute(sql).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return row[0]

    def _of_workers(self) -> list[psutil.Process]:
        found = []
        for worker in self.workers:
            process = psutil.Process(worker.pid)
            found += [process, *process.children(recursive=True)]
        return found

    def _of_database(self) -> list[psutil.Process]:
        postmaster = psutil.Process(int(self._one("SELECT pg_backend_pid()"))).parent()
        assert postmaster is not None
        return [postmaster, *postmaster.children(recursive=True)]

    def close(self) -> None:
        """End all."""
        self._watch.close()
        for process in (*self.workers, self.server):
            process.stop()


_COMPLETED = b'%"status":"completed"%'


def _asked_and_done(body: bytes) -> tuple[float, float]:
    from datetime import datetime

    from fhir_profiles import json
    from server.jobs.measured import asked_of

    task = json.decode(body)
    asked = asked_of(task) or task["authoredOn"]
    return datetime.fromisoformat(asked).timestamp(), datetime.fromisoformat(task["lastModified"]).timestamp()


def _cpu(processes: Sequence[psutil.Process]) -> float:
    spent = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            of = process.cpu_times()
            spent += of.user + of.system + of.children_user + of.children_system  # children: those that have ended
    return spent


def _memory(processes: Sequence[psutil.Process]) -> int:
    found = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += process.memory_info().rss
    return found


def _ready(process: Process, seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while not process.ready.wait(0.2):
        if not process.alive or time.monotonic() > until:
            raise RuntimeError("".join(process.log) or "A process did not come up.")


@contextlib.contextmanager
def fleet(uri: str, name: str, data: Path, port: int) -> Iterator[Fleet]:
    """A fleet over a new database `name` of the PostgreSQL at `uri`."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    made = Fleet(psycopg_url(uri, name), data, port)
    try:
        yield made
    finally:
        made.close()


def psycopg_url(uri: str, name: str) -> str:
    """The address of another database of the same PostgreSQL."""
    head, _, query = uri.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
