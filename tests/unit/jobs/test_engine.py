"""The five calls: what is queued is what DBOS would queue, in the caller's transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from server.jobs.engine import Job, Jobs, State
from server.jobs.schema import prepare
from server.store import Store, Tx, open_store
from tests.support.work import calls

JOB = Job("doc/1/1", "code_document", ("doc", 1, 1))


@pytest.fixture
def store(tmp_path: Path) -> Any:
    """A SQLite store with the tables of the jobs."""
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    opened = open_store(url)
    prepare(url)
    yield opened
    opened.close()


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    connection = sqlite3.connect(str(store.engine.url.database))
    connection.row_factory = sqlite3.Row
    found = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    return found


def test_a_queued_job_is_the_row_that_dbos_itself_would_write(store: Store) -> None:
    """An upgrade of DBOS that changes what a queued job looks like is noticed here."""
    from dbos import DBOSClient, WorkflowSerializationFormat

    jobs = Jobs(postgres=False)
    store.write_sync(lambda tx: jobs.enqueue(tx, JOB))
    client = DBOSClient(system_database_url=str(store.engine.url))
    options = {
        "workflow_name": JOB.name,
        "queue_name": "documents",
        "workflow_id": "theirs",
        "serialization_type": WorkflowSerializationFormat.PORTABLE,
    }
    client.enqueue(options, *JOB.arguments)  # type: ignore[arg-type]
    client.destroy()
    loose = {"workflow_uuid", "created_at", "updated_at", "creator_xid", "retention_timestamp"}
    for table in ("workflow_status", "workflow_input"):
        ours, theirs = ({k: v for k, v in row.items() if k not in loose} for row in rows(store, table))
        assert (ours.pop("attributes", None), theirs.pop("attributes", None)) in ((None, "null"), (None, None))
        assert ours == theirs


def test_a_job_exists_only_when_its_transaction_commits(store: Store) -> None:
    """A write that fails leaves no job behind."""
    jobs = Jobs(postgres=False)

    def fail(tx: Tx) -> None:
        jobs.enqueue(tx, JOB)
        raise KeyError("refused")

    with pytest.raises(KeyError):
        store.write_sync(fail)
    assert rows(store, "workflow_status") == []


def test_queueing_twice_queues_once(store: Store) -> None:
    """An id that exists is left as it is."""
    jobs = Jobs(postgres=False)
    for _ in range(2):
        store.write_sync(lambda tx: jobs.enqueue(tx, JOB))
    assert len(rows(store, "workflow_status")) == len(rows(store, "workflow_input")) == 1


def test_a_cancelled_job_stays_cancelled(store: Store) -> None:
    """Status follows the job; cancelling it twice changes nothing."""
    jobs = Jobs(postgres=False)
    assert store.write_sync(lambda tx: jobs.status(tx, JOB.id)) is None
    store.write_sync(lambda tx: jobs.enqueue(tx, JOB))
    assert store.write_sync(lambda tx: jobs.status(tx, JOB.id)) is State.QUEUED
    for _ in range(2):
        store.write_sync(lambda tx: jobs.cancel(tx, JOB.id))
    assert store.write_sync(lambda tx: jobs.status(tx, JOB.id)) is State.CANCELLED


def test_queueing_is_cheap(store: Store) -> None:
    """However many are queued in a transaction, each costs the same, and no more than a few calls."""
    jobs = Jobs(postgres=False)

    def many(tx: Tx, first: int, count: int) -> int:
        def run() -> None:
            for number in range(first, first + count):
                jobs.enqueue(tx, Job(f"doc/{number}/1", "code_document", ("doc", number, 1)))
            tx.flush()

        return calls(run)

    store.write_sync(lambda tx: many(tx, 0, 5))
    few, more = store.write_sync(lambda tx: many(tx, 5, 50)), store.write_sync(lambda tx: many(tx, 55, 500))
    assert more / 500 < 1.1 * few / 50 < 1.1 * 100
