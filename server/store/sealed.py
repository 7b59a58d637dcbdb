"""The tables of encryption: data keys as they are wrapped, and how far the database is sealed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table

from .schema import _integer, _key, metadata

phi_key = Table(
    "phi_key",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _key("owner"),
    _integer("kek"),
    Column("made", BigInteger, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("phi_key_owner", "owner", "number"),
)
"""`wrapped` is empty when the key was destroyed; `made` is milliseconds since 1970."""

phi_state = Table("phi_state", metadata, _key("name", primary_key=True), _key("value"))
"""`mode` is `on` or `sealing`, absent of a clear database; `epoch` counts destructions; others are places of runs."""
