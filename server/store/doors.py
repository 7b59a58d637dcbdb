"""The tables of what came in by other doors than HTTP: the ledger of arrivals, and the bytes that lie in quarantine."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text

from .schema import _big, _key, metadata

_STORED = text("state = 'stored'")

arrival = Table(
    "arrival",
    metadata,
    _key("id", primary_key=True),
    _key("door"),
    _key("key"),
    _key("hash"),
    _big("at"),
    _key("state"),
    _key("reason"),
    Column("text", Text, nullable=False),
    Column("written", Text, nullable=False),
    Index("arrival_state", "state", "at", "id"),
    Index("arrival_key", "door", "key", unique=True, sqlite_where=_STORED, postgresql_where=_STORED),
)
"""`id` is derived from door, key and hash; `at` is milliseconds; of a key only one content is ever stored."""

arrival_raw = Table("arrival_raw", metadata, _key("id", primary_key=True), Column("raw", Text, nullable=False))
"""What came, in Base64 and sealed, for as long as it lies in quarantine."""
