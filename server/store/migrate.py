"""Bring a database to the newest schema with Alembic (https://alembic.sqlalchemy.org)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url

from . import postgres, sqlite
from .params import write_dictionary

HEAD = "0004"
_LOCK = 0x66686972  # of PostgreSQL: one process migrates, the others wait


def engine_for(url: str) -> Engine:
    """An engine for the URL with our settings of each database."""
    parsed = make_url(url)
    return sqlite.make_engine(parsed) if parsed.get_backend_name() == "sqlite" else postgres.make_engine(parsed)


def revision(connection: Connection) -> str | None:
    """The schema revision of a database; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def migrate(url: str) -> bool:
    """Create or migrate the database; whether there was anything to do. Safe when several processes start at once."""
    engine = engine_for(url)
    try:
        with engine.begin() as connection:  # on SQLite this takes the write lock
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if revision(connection) == HEAD:
                return False
            _upgrade(connection)
            return True
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    write_dictionary(connection)
