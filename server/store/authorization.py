"""The tables of who may ask: people, clients, tokens, and owners of subscriptions."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from .schema import _big, _key, metadata

auth_person = Table(
    "auth_person",
    metadata,
    _key("id", primary_key=True),
    _key("name"),
    Column("data", Text, nullable=False),
    Index("auth_person_name", "name", unique=True),
)

auth_client = Table(
    "auth_client",
    metadata,
    _key("id", primary_key=True),
    Column("data", Text, nullable=False),
)

auth_session = Table(
    "auth_session",
    metadata,
    _key("hash", primary_key=True),
    _key("person"),
    _big("seen"),
    Column("data", Text, nullable=False),
    Index("auth_session_person", "person"),
)

auth_pending = Table(
    "auth_pending",
    metadata,
    _key("hash", primary_key=True),
    _big("expires"),
    Column("data", Text, nullable=False),
)

auth_launch = Table(
    "auth_launch",
    metadata,
    _key("hash", primary_key=True),
    _big("expires"),
    Column("data", Text, nullable=False),
)

auth_authorization = Table(
    "auth_authorization",
    metadata,
    _key("id", primary_key=True),
    _key("client"),
    _key("person"),
    _big("revoked"),
    Column("data", Text, nullable=False),
    Index("auth_authorization_client", "client", "person"),
)
"""What was granted; `revoked` is when it ended, 0 while it holds."""

auth_token = Table(
    "auth_token",
    metadata,
    _key("hash", primary_key=True),
    _key("granted"),
    _key("kind"),
    _big("expires"),
    _big("used"),
    _big("revoked"),
    Column("data", Text, nullable=False),
    Index("auth_token_granted", "granted"),
    Index("auth_token_expires", "expires"),
)
"""Codes and tokens by their hashes; times in milliseconds, `used` and `revoked` are 0 or 1."""

auth_assertion = Table(
    "auth_assertion",
    metadata,
    _key("hash", primary_key=True),
    _big("expires"),
    Index("auth_assertion_expires", "expires"),
)

auth_attempt = Table(
    "auth_attempt",
    metadata,
    _key("key", primary_key=True),
    _big("failures"),
    _big("until"),
    _big("last"),
)

auth_key = Table(
    "auth_key",
    metadata,
    _key("kid", primary_key=True),
    _big("made"),
    Column("data", Text, nullable=False),
)

subscription_owner = Table(
    "subscription_owner",
    metadata,
    _big("rid", primary_key=True, autoincrement=False),
    _key("id"),
    _key("owner"),
    Column("data", Text, nullable=False),
    Index("subscription_owner_id", "id", unique=True),
)
