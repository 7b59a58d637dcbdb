"""Bring a database to the newest schema with Alembic (https://alembic.sqlalchemy.org)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from . import postgres, sqlite
from .floor import floor_of, outgrown, raise_floor, revision, suits
from .params import write_dictionary
from .pooler import REFUSED, is_pooled, refuse_another, refuse_pooler, untold

HEAD = "0013"
FIRST_FLOOR = "0009"  # versions before it knew no floor and refuse every schema but their own
_LOCK = 0x66686972  # of PostgreSQL: one process migrates, the others wait


def engine_for(url: str) -> Engine:
    """An engine for the URL with our settings of each database."""
    parsed = make_url(url)
    return sqlite.make_engine(parsed) if parsed.get_backend_name() == "sqlite" else postgres.make_engine(parsed)


def migrate(url: str, pooled: str | None = None) -> bool:
    """Create or migrate the database; whether there was anything to do. Safe when several processes start at once.

    A database that a newer version migrated is left as it is; `FhirError` UNAVAILABLE when it no longer suits this one,
    UNSUPPORTED when there is a pooler that the URL does not tell of, or when `pooled`, by which the database will be
    used, leads to another one.
    """
    if pooled is not None and is_pooled(make_url(pooled)):
        refuse_another(engine_for(pooled), engine_for(url))  # without a pool: nothing is left open
    engine = engine_for(url)
    try:
        with _begun(engine) as connection:  # on SQLite this takes the write lock
            if engine.dialect.name == "postgresql":
                if not is_pooled(make_url(url)):
                    refuse_pooler(connection.connection.driver_connection)  # type: ignore[arg-type]
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            found = revision(connection)
            if suits(found, floor_of(connection), HEAD):
                return False
            if found is not None and found > HEAD:
                raise outgrown()
            _upgrade(connection, found)
            return True
    finally:
        engine.dispose()


@contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    """A transaction; FhirError UNSUPPORTED where a pooler refuses us, as it was not told of."""
    try:
        connection = engine.connect()
    except OperationalError as error:
        raise (untold() if REFUSED in str(error.orig) else error) from None
    with connection, connection.begin():
        yield connection


def _upgrade(connection: Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    write_dictionary(connection)
    steps = ScriptDirectory.from_config(config).walk_revisions(found or "base", "head")
    contracting = [step.revision for step in steps if getattr(step.module, "contracts", False)]
    raise_floor(connection, max([FIRST_FLOOR, *contracting]))
