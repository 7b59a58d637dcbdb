"""Old and new versions side by side: what a newer version added suits an older one until something is taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from fhir_profiles.errors import Category, FhirError
from server.app import create_app
from server.settings import Settings
from server.store import migrate as migrations
from server.store import open_store
from server.store.floor import STANDS, floor_of, raise_floor, suits
from server.store.migrate import FIRST_FLOOR, HEAD, engine_for, migrate

NEXT = "9998"
_NARROWING = re.compile(r"\bop\.(drop_\w+|alter_column|rename_table|execute)\b|nullable=False(?!.*server_default)")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to a migrated database, in a transaction that is committed by hand."""
    engine = engine_for(database_url)
    with engine.connect() as made:
        yield made
    engine.dispose()


def grow(connection: Connection, floor: str) -> None:
    """Do what a newer version's migration does: something new, its revision, its floor."""
    connection.execute(text("CREATE TABLE of_the_next_version (id TEXT)"))
    connection.execute(text("UPDATE alembic_version SET version_num = :next"), {"next": NEXT})
    raise_floor(connection, floor)
    connection.commit()


async def test_what_was_added_does_not_disturb_the_older_version(
    database_url: str, connection: Connection, tmp_path: Path
) -> None:
    """It starts, leaves the schema as it is, is ready, and writes."""
    grow(connection, FIRST_FLOOR)
    assert migrate(database_url) is False
    app = create_app(Settings(database=database_url, data=tmp_path, open=True))
    store = app.state.fhir.store
    try:
        assert suits(*store.query(STANDS)[0], HEAD)
        store.write_sync(lambda tx: tx.execute("INSERT INTO arrival_raw (id, raw) VALUES (?, ?)", ("a", "b")))
        assert store.query("SELECT version_num FROM alembic_version") == [(NEXT,)]
    finally:
        store.close()


def test_what_was_taken_away_turns_the_older_version_away(database_url: str, connection: Connection) -> None:
    """It does not start, says what to do, and changes nothing."""
    grow(connection, NEXT)
    with pytest.raises(FhirError, match="newer version") as told:
        open_store(database_url)
    assert told.value.category is Category.UNAVAILABLE
    assert floor_of(connection) == NEXT


def test_the_floor_of_a_new_database_is_set_and_never_sinks(connection: Connection) -> None:
    """`raise_floor` with something lower changes nothing."""
    assert (floor_of(connection) or "") >= FIRST_FLOOR
    raise_floor(connection, "0001")
    assert (floor_of(connection) or "") >= FIRST_FLOOR


@pytest.mark.parametrize(
    ("found", "floor", "may"),
    [(HEAD, None, True), (None, None, False), ("0001", "0001", False), (NEXT, None, False), (NEXT, HEAD, True),
     (NEXT, NEXT, False)],
)  # fmt: skip
def test_which_schemas_suit(found: str | None, floor: str | None, may: bool) -> None:
    """The own one, and newer ones down to their floor; never an older one, and none that tells no floor."""
    assert suits(found, floor, HEAD) is may


def test_a_migration_that_takes_away_says_so() -> None:
    """From the first floor on: dropping, altering, renaming or a column that must be filled raises the floor."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent / "migrations"))
    for step in scripts.walk_revisions():
        if step.revision > FIRST_FLOOR:
            code = Path(step.path).read_text().partition("def downgrade")[0]
            body = re.sub(r"op\.create_table\(.*?\n    \)\n", "", code, flags=re.DOTALL)  # a new table disturbs nobody
            assert not _NARROWING.search(body) or getattr(step.module, "contracts", False), step.revision
