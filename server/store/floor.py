"""Which versions may work on one database at the same time: from the oldest that its schema still suits to the newest.

A migration only adds, and then the floor stays; one that takes something away says `contracts = True` and raises it.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Table, Text, inspect, text

from fhir_profiles.errors import Category, FhirError

from .schema import metadata

schema_floor = Table("schema_floor", metadata, Column("revision", Text, primary_key=True))
"""One row: the revision of the oldest code that this schema suits."""

STANDS = "SELECT version_num, (SELECT max(revision) FROM schema_floor) FROM alembic_version"
"""The revision of the schema, and its floor."""


def revision(connection: Connection) -> str | None:
    """The schema revision of a database; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def floor_of(connection: Connection) -> str | None:
    """The floor of a database; None when nothing has set one yet."""
    if not inspect(connection).has_table("schema_floor"):
        return None
    found: str | None = connection.scalar(text("SELECT max(revision) FROM schema_floor"))
    return found


def raise_floor(connection: Connection, floor: str) -> None:
    """Let only code from revision `floor` on work on the database; one that is higher already stays."""
    if (floor_of(connection) or "") < floor:
        connection.execute(text("DELETE FROM schema_floor"))
        connection.execute(text("INSERT INTO schema_floor (revision) VALUES (:floor)"), {"floor": floor})


def suits(found: str | None, floor: str | None, head: str) -> bool:
    """Whether code whose newest migration is `head` may work on a schema at revision `found` with that floor."""
    return found == head or (found is not None and found > head and floor is not None and floor <= head)


def outgrown() -> FhirError:
    """What is said to code that is too old for a database."""
    return FhirError.of(
        Category.UNAVAILABLE,
        "not-supported",
        "The database was brought to a schema that this version does not know. Start the newer version of fhirwright.",
    )
