"""A role of PostgreSQL for the server to run as: it may do its work, and only add to the audit trail.

https://www.postgresql.org/docs/current/ddl-priv.html
"""

from __future__ import annotations

import re

from sqlalchemy import text

from .migrate import engine_for

KEPT = ("audit_event", "audit_key", "audit_checkpoint")
"""The tables that rows are added to and nothing else."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SCHEMAS = "SELECT schema_name FROM information_schema.schemata WHERE schema_name IN ('public', 'dbos')"


def grant(url: str, role: str) -> None:
    """Give a role that exists what the server needs; ValueError for another engine or a name that is none.

    The owner of the tables migrates; the role can neither change the audit trail nor the tables.
    """
    engine = engine_for(url)
    try:
        if engine.dialect.name != "postgresql":
            raise ValueError("Only PostgreSQL has roles.")
        if not _NAME.fullmatch(role):
            raise ValueError("A role has 1 to 63 small letters, digits and underscores.")
        with engine.begin() as connection:
            for (schema,) in connection.execute(text(_SCHEMAS)).all():
                for statement in (
                    f"GRANT USAGE ON SCHEMA {schema} TO {role}",
                    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
                    f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
                    f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
                ):
                    connection.execute(text(statement))
            for table in KEPT:
                connection.execute(text(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}"))
            for table in ("alembic_version", "schema_floor", "audit_trail"):
                connection.execute(text(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {role}"))
    finally:
        engine.dispose()
