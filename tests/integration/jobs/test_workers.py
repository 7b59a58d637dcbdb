"""Real worker processes: they share the queue, die, come back, and leave the database in one piece."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.intake import attach
from server.settings import Settings
from server.store import Store
from tests.support.clock import until

ROOT = Path(__file__).parents[3]
TEXT = "ASSESSMENT\n1. Essential hypertension (I10)\nVitals: BP 128/82 mmHg\n"


@pytest.fixture
def terminology(tmp_path: Path, furnish: Callable[[Path], Path]) -> Path:
    """A data directory whose terminology is there."""
    return furnish(tmp_path / "var")


@pytest.fixture
def start(database_url: str, terminology: Path, tmp_path: Path) -> Any:
    """`start(slot)`: a worker process on the test's database, ended with the test."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ,
        "FHIRWRIGHT_DATABASE": database_url,
        "FHIRWRIGHT_DATA": str(terminology),
        "FHIRWRIGHT_LOG_FORMAT": "json",
        "FHIRWRIGHT_WORKER_DOCUMENTS": "1",
    }

    def start(slot: int) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"worker-{slot}.log").open("ab")
        command = [sys.executable, "-m", "server.cli", "worker", "--slot", str(slot)]
        started.append(subprocess.Popen(command, env=environment, cwd=ROOT, stderr=log))
        log.close()
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def send(fhir: Fhir, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        fhir.handle_sync(
            Request(caller=ANYBODY, method="PUT", path=("DocumentReference", f"d{number}"), body=document(number))
        )


def document(number: int) -> bytes:
    import base64
    import json

    data = base64.b64encode(f"{TEXT}{number}\n".encode()).decode()
    content = [{"attachment": {"contentType": "text/plain", "data": data}}]
    resource = {"resourceType": "DocumentReference", "id": f"d{number}", "status": "current", "content": content}
    return json.dumps(resource).encode()


def executors(store: Store, status: str) -> list[str]:
    schema = "dbos." if store.dialect == "postgresql" else ""
    sql = f"SELECT executor_id FROM {schema}workflow_status WHERE status = ?"
    return [row[0] for row in store.query(sql, (status,))]


def test_two_workers_share_the_queue_and_a_killed_slot_finishes_when_it_is_started_again(
    store: Store, start: Callable[[int], subprocess.Popen[bytes]], terminology: Path, tmp_path: Path
) -> None:
    """Nothing is lost or doubled by `kill -9`; SIGTERM ends a worker in order; a taken slot is refused."""
    fhir = Fhir(store, settings := Settings(data=terminology, open=True))
    attach(fhir, settings)
    first, second = start(0), start(1)
    ready = [lambda slot=slot: b"worker.ready" in (tmp_path / f"worker-{slot}.log").read_bytes() for slot in (0, 1)]
    until(lambda: all(is_ready() for is_ready in ready))
    send(fhir, 24)
    until(lambda: {"slot-0", "slot-1"} <= set(executors(store, "SUCCESS")))
    send(fhir, 24, 24)
    until(lambda: "slot-0" in executors(store, "PENDING"))
    first.send_signal(signal.SIGKILL)
    first.wait()
    second.send_signal(signal.SIGTERM)
    assert second.wait(120) == 0
    again = start(0)
    until(lambda: len(executors(store, "SUCCESS")) == 48)
    assert start(0).wait(120) == 4
    bodies = [found.body for n in range(48) if (found := store.read("Task", tasks.task_id(f"d{n}")))]
    assert sum(b'"status":"completed"' in body for body in bodies) == 48
    counts = dict(store.query("SELECT type, count(*) FROM resource WHERE change <> 'D' GROUP BY type"))
    assert (counts["Condition"], counts["Provenance"]) == (48, 48)
    assert again.poll() is None
    said = b"".join(path.read_bytes() for path in tmp_path.glob("worker-*.log"))
    assert b"locked" not in said
    assert b"hypertension" not in said


WRITER = """
import sys
from server.jobs.engine import Job, Jobs
from server.store import open_store
store = open_store(sys.argv[1], create=False)
jobs = Jobs(postgres=False)
for number in range(150):
    name = f"{sys.argv[2]}/{number}/1"
    store.write_sync(lambda tx: jobs.enqueue(tx, Job(name, "nothing", (number,))))
    store.write_sync(lambda tx: jobs.cancel(tx, name))
    store.query("SELECT count(*) FROM workflow_status")
store.close()
"""


def test_processes_that_write_at_once_never_see_a_locked_database(tmp_path: Path, sqlite_template: Path) -> None:
    """Four processes write to one SQLite file as fast as they can; each waits for its turn."""
    import shutil

    shutil.copy(sqlite_template, tmp_path / "busy.db")
    url = f"sqlite:///{tmp_path / 'busy.db'}"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, str(number)], cwd=ROOT, stderr=subprocess.PIPE)
        for number in range(4)
    ]
    for writer in writers:
        _, said = writer.communicate(timeout=300)
        assert (writer.returncode, said) == (0, b"")
