"""Leases: when one lapses, who takes it, and what the one that lost it can still do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from fhir_profiles.errors import Category, FhirError
from server.jobs import lease
from server.jobs.lease import SECONDS, Observer, give_back, observer_of, try_lease
from server.jobs.slot import Slot
from server.jobs.watch import look
from server.store import open_store
from server.store.postgres import connect_patiently, dsn_of
from tests.support.clock import moment


@pytest.fixture
def dsn(postgres_template: Callable[[], str]) -> str:
    """A migrated database, as psycopg takes it."""
    return dsn_of(make_url(postgres_template()))


def _hold(connection: psycopg.Connection[Any], name: str, holder: str = "another") -> None:
    connection.execute("INSERT INTO lease (name, holder, fence, beat) VALUES (%s, %s, 7, 1)", (name, holder))


def _age(dsn: str, name: str) -> None:
    """Let this process have seen the lease stand still for long enough."""
    lease._OBSERVERS.pop(dsn, None)
    now = moment()
    for back in range(int(SECONDS) + 1, 0, -1):
        observer_of(dsn).lapsed([(name, 7, 1)], now - back)


def test_a_lease_lapses_when_its_beat_stands_still_and_not_before() -> None:
    """The same beat for `SECONDS`, seen by looks close to each other, is a lapsed lease; a new beat is none."""
    observer, row = Observer(), ("worker-1", 3, 9)
    assert not any(observer.lapsed([row], at) for at in (0.0, 1.0, 2.0, 3.0, 3.9))
    assert observer.lapsed([row], 4.1) == [row]
    assert not observer.lapsed([("worker-1", 3, 10)], 5.0)


def test_who_was_away_does_not_judge() -> None:
    """An observer that was paused, or could not ask the database, begins to count anew."""
    observer, row = Observer(), ("worker-1", 3, 9)
    observer.lapsed([row], 0.0)
    observer.lapsed([row], 2.0)
    assert not observer.lapsed([row], 60.0)
    assert not observer.lapsed([row], 62.0)


def test_a_lapsed_lease_is_taken_with_a_higher_fence_and_a_live_one_is_not(dsn: str) -> None:
    """Whoever takes it voids what its holder has; a lease that is beaten stays where it is."""
    with connect_patiently(dsn) as connection:
        _hold(connection, "worker-1")
        assert try_lease(dsn, "worker-1") is None
        _age(dsn, "worker-1")
        taken = try_lease(dsn, "worker-1")
        assert taken is not None
        assert taken.fence == 8
        assert taken.held()
        assert try_lease(dsn, "worker-1") is None
        taken.release()
        [(holder,)] = connection.execute("SELECT holder FROM lease").fetchall()
        assert holder == ""


def test_the_jobs_of_a_lost_worker_are_queued_again_for_the_others(dsn: str) -> None:
    """A slot that lapsed is given back and what its worker had begun waits again; what others run is not touched."""
    sql = (
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, recovery_attempts,"
        " priority, created_at, updated_at) VALUES (%s, 'PENDING', 'x', 'documents', %s, 1, 0, 0, 0)"
    )
    with connect_patiently(dsn) as connection:
        for job, executor in (("mine", "slot-1"), ("theirs", "slot-2")):
            connection.execute(sql, (job, executor))
        _hold(connection, "worker-1")
        assert look(connection, dsn) == []
        _age(dsn, "worker-1")
        assert look(connection, dsn) == ["worker-1"]
        found = dict(connection.execute("SELECT workflow_uuid, status FROM dbos.workflow_status").fetchall())
        assert found == {"mine": "ENQUEUED", "theirs": "PENDING"}
        assert not give_back(connection, "worker-1", 7)
        connection.execute("UPDATE dbos.workflow_status SET status = 'PENDING'")  # it had begun before it knew
        assert look(connection, dsn) == []
        found = dict(connection.execute("SELECT workflow_uuid, status FROM dbos.workflow_status").fetchall())
        assert found == {"mine": "ENQUEUED", "theirs": "PENDING"}


def test_the_sessions_of_a_lost_process_end_with_what_they_hold(dsn: str) -> None:
    """A transaction that a paused process left open keeps nobody waiting once its lease has lapsed."""
    held = psycopg.connect(dsn, application_name="paused")
    with connect_patiently(dsn) as connection:
        _hold(connection, "server-paused", "paused")
        held.execute("SELECT pg_advisory_xact_lock(1, 1)")
        _age(dsn, "server-paused")
        assert look(connection, dsn) == ["server-paused"]
        for _ in range(100):
            [(free,)] = connection.execute("SELECT pg_try_advisory_lock(1, 1)").fetchall()
            if free:
                break
            time.sleep(0.1)
        assert free
        assert connection.execute("SELECT count(*) FROM lease").fetchall() == [(0,)]
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    held.close()


def test_a_worker_that_lost_its_slot_cannot_write(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes back after its slot was given to another is refused, on PostgreSQL; a file's lock cannot be lost."""
    monkeypatch.setattr(lease, "BEAT_SECONDS", 60.0)
    store = open_store(database_url)
    try:
        with Slot(database_url, 5, wait=0) as slot:
            store.guard(slot.check)
            store.write_sync(lambda tx: tx.execute("DELETE FROM job_progress"))
            if store.dialect == "sqlite":
                assert slot.held()
                assert Path(f"{make_url(database_url).database}.worker-5.lock").exists()
                return
            with connect_patiently(dsn_of(make_url(database_url))) as connection:
                connection.execute("UPDATE lease SET fence = fence + 1")
            with pytest.raises(FhirError) as refused:
                store.write_sync(lambda tx: tx.execute("DELETE FROM job_progress"))
            assert refused.value.category is Category.UNAVAILABLE
            assert slot.lost()
    finally:
        store.close()
