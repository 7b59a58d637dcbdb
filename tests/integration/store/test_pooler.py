"""Behind a real PgBouncer that lends its connections for a transaction at a time, and how many are taken at most."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.engine import make_url

from fhir_profiles.errors import FhirError
from server.app import create_app
from server.jobs.lease import end_sessions
from server.settings import Settings
from server.store import Store, Tx, open_store
from server.store.driver import QueryTimeout
from server.store.migrate import migrate
from server.store.pooler import marked_url, refuse_pooler
from server.store.postgres import CONNECTIONS, PROCESS
from server.tenants import settings_of
from tests.support.clock import until

ROOT = Path(__file__).parents[3]
POOL = 6
"""Connections of the pooler to a database."""
OF_A_SERVER, OF_A_WORKER = CONNECTIONS + 1, CONNECTIONS + 1 + 8
"""Connections that a process opens through the pooler, or without one, as docs/deployment.md says."""
AROUND_A_SERVER, AROUND_A_WORKER = 2, 4
"""Connections that it opens around it."""


@pytest.fixture(scope="module")
def pooler(postgres_server: Callable[[str], str]) -> Iterator[Callable[[str], str]]:
    """A PgBouncer before the session's PostgreSQL; the value turns a URL into one that leads through it."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed")
    if os.getuid() != 0:
        pytest.skip("needs to start PgBouncer as another user")
    place = Path(tempfile.mkdtemp(prefix="fhirwright-pooler-"))
    host = make_url(postgres_server("postgres")).query["host"]
    (place / "ini").write_text(
        f"[databases]\n* = host={host} user=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
        f"unix_socket_dir = {place}\nauth_type = any\nadmin_users = postgres\npool_mode = transaction\n"
        f"default_pool_size = {POOL}\n"
    )
    shutil.chown(place, "embedded_postgres")
    process = subprocess.Popen([program, "-q", place / "ini"], user="embedded_postgres", extra_groups=[])
    try:
        until(lambda: (place / ".s.PGSQL.6432").exists())
        yield (
            lambda url: (
                make_url(url).set(query={"host": str(place), "port": "6432"}).render_as_string(hide_password=False)
            )
        )
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def direct(postgres_template: Callable[[], str]) -> str:
    """A migrated, empty database, around the pooler."""
    return postgres_template()


@pytest.fixture
def stores(pooler: Callable[[str], str], direct: str) -> Iterator[list[Store]]:
    """Three stores that share the pooler."""
    url = marked_url(pooler(direct))
    opened = [open_store(url, create=False, threads=24, statement_seconds=20) for _ in range(3)]
    yield opened
    for store in opened:
        store.close()


def several(name: str) -> Callable[[Tx], None]:
    """A write that goes by COPY and takes a lock by name."""

    def op(tx: Tx) -> None:
        tx.lock("a")
        for number in range(80):
            tx.later("INSERT INTO arrival_raw (id, raw) VALUES (?, ?)", (f"{name}-{number}", "x"))

    return op


def test_nothing_of_a_session_stays_behind(stores: list[Store], direct: str) -> None:
    """Writes, locks and many searches at once, through fewer connections than threads: none finds or leaves a trace."""

    async def together() -> None:
        ops = [store.write(several(f"{at}{number}")) for number in range(4) for at, store in enumerate(stores)]
        asks = [store.run(store.query, "SELECT count(*) FROM arrival_raw") for store in stores for _ in range(60)]
        await asyncio.gather(*ops, *asks)

    asyncio.run(together())
    assert [store.query("SELECT count(*) FROM arrival_raw") for store in stores] == [[(960,)]] * 3
    assert stores[0].query("SHOW statement_timeout") == [("20s",)]
    with psycopg.connect(str(stores[0].engine.url.set(drivername="postgresql")), prepare_threshold=None) as lent:
        for sql, wanted in {
            "SHOW statement_timeout": "0", "SHOW default_transaction_read_only": "off",
            "SELECT count(*)::text FROM pg_prepared_statements": "0",
        }.items():  # fmt: skip
            assert lent.execute(sql).fetchone() == (wanted,), sql  # type: ignore[call-overload]
    with psycopg.connect(direct) as around:
        [(held,)] = around.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchall()
        assert held == 0


def test_a_search_keeps_its_limits(pooler: Callable[[str], str], direct: str) -> None:
    """What takes too long is ended, what reads cannot write, and what was lost is asked again."""
    store = open_store(marked_url(pooler(direct)), create=False, statement_seconds=0.2)
    try:
        with pytest.raises(QueryTimeout):
            store.query("SELECT pg_sleep(60)")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            store.query("INSERT INTO arrival_raw (id, raw) VALUES ('z', 'z') RETURNING id")
        with psycopg.connect(direct, autocommit=True) as around:
            for _ in range(5):
                around.execute(_END, (PROCESS,))
                assert store.query("SELECT 1") == [(1,)]
    finally:
        store.close()


_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"


def test_who_took_over_ends_what_a_lost_process_holds_behind_the_pooler(
    pooler: Callable[[str], str], direct: str
) -> None:
    """The pooler tells the database whose connection it lends out, so that a transaction of a paused process ends."""
    paused = psycopg.connect(pooler(direct), application_name="paused", prepare_threshold=None)
    paused.execute("SELECT pg_advisory_xact_lock(1, 1)")
    with psycopg.connect(direct, autocommit=True) as around:
        asked = "SELECT pg_try_advisory_lock(1, 1)"
        assert around.execute(asked).fetchall() == [(False,)]
        end_sessions(around, "paused")
        until(lambda: around.execute(asked).fetchall() == [(True,)])
    paused.close()


def test_a_pooler_that_nobody_told_of_is_refused(
    pooler: Callable[[str], str], direct: str, postgres_server: Callable[[str], str]
) -> None:
    """In words, at the start; so are two URLs that lead to different databases."""
    with pytest.raises(FhirError, match="FHIRWRIGHT_DATABASE_DIRECT"):
        migrate(pooler(direct))
    with psycopg.connect(pooler(direct)) as lent, pytest.raises(FhirError, match="FHIRWRIGHT_DATABASE_DIRECT"):
        refuse_pooler(lent)  # one that overlooks what it is told of a session
    with pytest.raises(FhirError, match="different databases"):
        migrate(direct, marked_url(pooler(postgres_server("postgres"))))
    assert migrate(direct, marked_url(pooler(direct))) is False


def test_server_and_worker_keep_to_their_budget(
    pooler: Callable[[str], str], direct: str, tmp_path: Path, furnish: Callable[[Path], Path]
) -> None:
    """A server with more readers than connections and a worker with its jobs take what docs/deployment.md says."""
    data = furnish(tmp_path / "var")
    settings = Settings(
        database=pooler(direct), database_direct=direct, data=data, open=True, coding="off", log_requests="problems"
    )
    environment = {
        **os.environ, "FHIRWRIGHT_DATABASE": pooler(direct), "FHIRWRIGHT_DATABASE_DIRECT": direct,
        "FHIRWRIGHT_DATA": str(data), "FHIRWRIGHT_CODING": "off", "FHIRWRIGHT_WORKER_DOCUMENTS": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "server.cli", "worker", "--slot", "0"]
    worker = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_work(settings, direct, pooler("postgresql://postgres:@/pgbouncer")))
    finally:
        worker.terminate()
        worker.wait()


async def _work(settings: Settings, direct: str, console: str) -> None:
    """An export by the worker while many search; what each took is counted all the time."""
    app = create_app(settings)
    lent: Counter[bool] = Counter()
    taken: set[int] = set()
    with (
        psycopg.connect(direct, autocommit=True) as around,
        psycopg.connect(console, autocommit=True, prepare_threshold=None, row_factory=dict_row) as told,
    ):

        async def count(client: httpx.AsyncClient, place: str) -> int:
            answers = await asyncio.gather(*(client.get("Patient?_id=a") for _ in range(30)), client.get(place))
            assert all(answer.json()["total"] == 1 for answer in answers[:-1])
            clients = [row for row in told.execute("SHOW CLIENTS").fetchall() if row["database"] != "pgbouncer"]
            for ours, several in Counter(row["application_name"] == PROCESS for row in clients).items():
                lent[ours] = max(lent[ours], several)
            [(now,)] = around.execute(_TAKEN).fetchall()
            taken.add(now)
            return answers[-1].status_code

        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/fhir/", timeout=120) as client,
        ):
            assert (await client.put("Patient/a", json={"resourceType": "Patient", "id": "a"})).status_code == 201
            asked = await client.get("$export?_type=Patient", headers={"prefer": "respond-async"})
            place = asked.headers["content-location"]
            async with asyncio.timeout(300):
                while (status := await count(client, place)) == 202:
                    await asyncio.sleep(0.25)
    assert status == 200
    assert 0 < lent[True] <= OF_A_SERVER
    assert 0 < lent[False] <= OF_A_WORKER
    assert max(taken) <= POOL + AROUND_A_SERVER + AROUND_A_WORKER


_TAKEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_each_tenant_has_its_own_way_around(tmp_path: Path) -> None:
    """A tenant's URL is marked when, and only when, a way around its pooler is named; the server's is another's."""
    settings = Settings(
        data=tmp_path, database="postgresql://pool/own", database_direct="postgresql://db1/own",
        replica="postgresql://pool/replica",
        tenants={"north.example": "postgresql://pool/north", "south.example": "postgresql://db2/south"},
        tenants_direct={"north.example": "postgresql://db2/north"},
    )  # fmt: skip
    assert settings.database_url == "postgresql://pool/own?pooled=1" == marked_url(settings.database_url)
    assert settings.direct_url == "postgresql://db1/own"
    assert settings.replica_url == "postgresql://pool/replica?pooled=1"
    north, south = settings_of(settings).values()
    assert (north.database_url, north.direct_url) == ("postgresql://pool/north?pooled=1", "postgresql://db2/north")
    assert south.database_url == south.direct_url == "postgresql://db2/south"
    with pytest.raises(ValueError, match="tenants_direct"):
        Settings(tenants_direct={"north.example": "postgresql://db2/north"})
    with pytest.raises(ValueError, match="database_direct"):
        Settings(database_direct="postgresql://db2/north")
