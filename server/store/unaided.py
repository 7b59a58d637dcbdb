"""The tables of documents that are coded unaided, and of what the machine made of them, apart from every resource."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from .schema import _key, metadata

unaided = Table(
    "unaided",
    metadata,
    _key("document", primary_key=True),
    _key("claim"),
    _key("state"),
    Index("unaided_claim", "claim", unique=True),
)
"""`document` and `claim` are ids; `state` is `apart` until the review was finished, then `told`."""

apart = Table(
    "unaided_apart",
    metadata,
    _key("document", primary_key=True),
    _key("owner"),
    Column("body", Text, nullable=False),
)
"""The Bundle of the last run, sealed with the key of its `owner` where the database is; gone once it was compared."""
