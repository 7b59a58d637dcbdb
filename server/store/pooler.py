"""Connections through a pooler that lends one for a transaction at a time (https://www.pgbouncer.org/features.html).

A URL says by a mark in its query that it leads through one. There a session is nobody's: what is set for it, prepared
in it or locked by it stays behind for whoever is lent the connection next.
"""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from fhir_profiles.errors import Category, FhirError

MARK = "pooled"
_WHOSE = "SELECT system_identifier::text, current_database()::text FROM pg_control_system()"
_SELF = "SELECT pg_backend_pid()"
REFUSED = "unsupported startup parameter"
"""What PgBouncer says to who tells it of a session's settings."""


def marked_url(url: str) -> str:
    """A URL that says that it leads through a pooler."""
    return url if f"{MARK}=" in url else f"{url}{'&' if '?' in url else '?'}{MARK}=1"


def is_pooled(url: URL) -> bool:
    """Whether a URL says so."""
    return MARK in url.query


def without_mark(url: URL) -> URL:
    """The URL as drivers take it."""
    return url.difference_update_query([MARK])


def refuse_pooler(connection: psycopg.Connection[Any]) -> None:
    """Refuse a connection that was made without the mark, when somebody stands between us and the database.

    A pooler tells each client a process number of its own; the database knows its real one. FhirError UNSUPPORTED.
    """
    [(number,)] = connection.execute(_SELF).fetchall()
    if number != connection.info.backend_pid:
        raise untold()


def untold() -> FhirError:
    """What is said where a URL without the mark leads through a pooler."""
    return FhirError.of(
        Category.UNSUPPORTED,
        "not-supported",
        "The database is reached through a pooler. Set FHIRWRIGHT_DATABASE_DIRECT (of a tenant: "
        "FHIRWRIGHT_TENANTS_DIRECT) to a URL that leads around it.",
    )


def refuse_another(pooled: Engine, direct: Engine) -> None:
    """Refuse two URLs that do not lead to the same database (FhirError UNSUPPORTED)."""
    with pooled.connect() as one, direct.connect() as other:
        same = one.execute(text(_WHOSE)).all() == other.execute(text(_WHOSE)).all()
    if not same:
        raise FhirError.of(
            Category.UNSUPPORTED,
            "not-supported",
            "The database URL and the direct one lead to different databases. Correct one of them.",
        )
