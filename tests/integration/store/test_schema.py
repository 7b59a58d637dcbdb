"""Promises of the schema, its migrations and the databases' settings."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.store import migrate as migrations
from server.store import open_store
from server.store.floor import revision
from server.store.keys import param_key
from server.store.migrate import HEAD, engine_for, migrate
from server.store.schema import metadata


def test_migrations_make_the_schema(database_url: str) -> None:
    """A migrated database has the tables, columns and indexes of the metadata, and nothing is left to do."""
    from dbos._schemas.system_database import SystemSchema

    of_dbos = {table.name for table in SystemSchema.metadata_obj.tables.values()} | {"dbos_migrations"}

    def is_ours(_thing: object, name: str | None, kind: str, *_: object) -> bool:
        if kind == "index" or database_url.startswith("sqlite"):  # words: a view over FTS5, indexes over expressions
            return not str(name).startswith(("idx_text", "idx_words")) and name not in of_dbos
        return kind != "table" or name not in of_dbos

    engine = engine_for(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_ours})
        assert compare_metadata(context, metadata) == []
        assert revision(connection) == HEAD
    engine.dispose()
    assert migrate(database_url) is False


def test_the_dictionary_names_every_parameter(database_url: str) -> None:
    """Each key of a search parameter is one of a kind and can be looked up."""
    engine = engine_for(database_url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT param, type, code FROM param").fetchall()
    engine.dispose()
    assert (param_key("Observation", "code"), "Observation", "code") in found
    assert len(found) > 3_000


def test_head_is_the_newest_migration() -> None:
    """The revision that `migrate` looks for is the last one in the folder."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent / "migrations"))
    assert scripts.get_heads() == [HEAD]


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    """Several migrations of one empty database at the same time all end well."""
    url = f"sqlite:///{tmp_path / 'new' / 'a.db'}"
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(migrate(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]


def test_connections_that_start_together_all_open(tmp_path: Path) -> None:
    """Switching a new file to write-ahead mode never fails because another connection does so at the same moment."""
    failed: list[Exception] = []

    def connect(number: int) -> None:
        try:
            engine = engine_for(f"sqlite:///{tmp_path / f'{number}.db'}")
            engine.connect().close()
        except Exception as error:
            failed.append(error)

    for number in range(40):
        threads = [threading.Thread(target=connect, args=(number,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_histories_from_before_are_filled(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A database from before history by type learns when each of its versions ended and whose it was."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if engine == "postgresql":
        server = request.getfixturevalue("postgres_server")
        with psycopg.connect(server("postgres"), autocommit=True) as admin:
            admin.execute("CREATE DATABASE before_history")
        url = server("before_history")
    made = engine_for(url)
    with made.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql("INSERT INTO resource VALUES (7, 'Patient', 'p', 3, 300, 'U', 'p', '{}')")
        for version, updated in ((1, 100), (2, 200)):
            row = f"INSERT INTO history VALUES (7, {version}, 'Patient', 'p', {updated}, 'U', '{{}}')"
            connection.exec_driver_sql(row)
    assert migrate(url) is True
    with made.connect() as connection:
        found = connection.exec_driver_sql("SELECT version, patient, ended FROM history ORDER BY version").fetchall()
    made.dispose()
    assert [tuple(row) for row in found] == [(1, "p", 200), (2, "p", 300)]


def test_sqlite_is_durable(tmp_path: Path) -> None:
    """The SQLite file is in write-ahead mode and every commit is synced in full."""
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()


def test_a_database_in_memory_is_refused() -> None:
    """Several processes share the database, so it must be a file."""
    with pytest.raises(ValueError, match="file"):
        migrate("sqlite://")


def test_a_database_of_the_first_schema_is_told_to_index_again(tmp_path: Path) -> None:
    """What was stored before 0002 keeps serving and says that its rows are old; an empty database is current."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = engine_for(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO resource VALUES (1, 'Patient', 'a', 1, 0, 'C', 'a', x'7b7d')")
    engine.dispose()
    assert migrate(url) is True
    for path, version in ((url, 1), (f"sqlite:///{tmp_path / 'new.db'}", 2)):
        store = open_store(path)
        assert store.query("SELECT version FROM index_state") == [(version,)]
        store.close()
