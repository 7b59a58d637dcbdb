"""What a database that is away, full or damaged is called where somebody runs a command."""

from __future__ import annotations

import sqlite3

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from fhir_profiles.errors import Category, FhirError

_SQLITE: dict[int, str] = {
    sqlite3.SQLITE_NOTADB: "The file of the database is not a SQLite database. Name another one, or restore a backup.",
    sqlite3.SQLITE_CORRUPT: "The file of the database is damaged. Restore a backup: fhirwright restore.",
    sqlite3.SQLITE_CANTOPEN: "The file of the database cannot be opened. Look at its path, and at who may read it.",
    sqlite3.SQLITE_READONLY: "The database may not be written. Look at who owns its file and its directory.",
    sqlite3.SQLITE_PERM: "The file of the database may not be read. Look at who owns it.",
    sqlite3.SQLITE_FULL: "The disk of the database is full. Make room, then run this again.",
    sqlite3.SQLITE_IOERR: "The disk of the database failed to read or write. Look at the disk.",
    sqlite3.SQLITE_BUSY: "Another process holds the database. Run this again when that has ended.",
}
NONE = (
    "There is no database of fhirwright. Look at --data and --database, or make one: fhirwright migrate, or "
    "fhirwright serve."
)
_POSTGRES: dict[type[psycopg.Error], str] = {
    errors.InsufficientPrivilege: "The role of the database may not do this. Use the owner of the tables, "
    "or give the role what it needs: fhirwright migrate --app-role ROLE.",
    errors.DiskFull: "The disk of PostgreSQL is full. Make room, then run this again.",
    errors.TooManyConnections: "PostgreSQL gives no more connections. Raise max_connections, or put a pooler between.",
    errors.UndefinedTable: NONE,
    errors.ReadOnlySqlTransaction: "This PostgreSQL only reads, as a replica does. Name the primary.",
}


def told(error: BaseException) -> FhirError | None:
    """The failure in words, UNAVAILABLE; None for what is no matter of reaching or keeping a database.

    Of what the database said only the reason of a connection that failed is repeated, which is about host, role and
    name; all else may hold values.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = None
    if isinstance(cause, sqlite3.Error):
        text = _SQLITE.get(getattr(cause, "sqlite_errorcode", -1) & 0xFF)
        if text is None and str(cause).startswith("no such table"):
            text = NONE
    elif isinstance(cause, psycopg.Error):
        text = next((words for kind, words in _POSTGRES.items() if isinstance(cause, kind)), None)
        if text is None and isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None:
            reason = str(cause).partition("\n")[0].rstrip(". ")
            text = f"The database cannot be reached: {reason}. Look at --database or FHIRWRIGHT_DATABASE."
    return FhirError.of(Category.UNAVAILABLE, "transient", text) if text else None
