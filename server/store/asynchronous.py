"""The tables of what happens after the answer: progress of jobs, requests answered later, subscriptions."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from .schema import _big, _integer, _key, _Row, metadata

job_progress = Table(
    "job_progress",
    metadata,
    _key("job", primary_key=True),
    _big("done"),
    _big("total"),
    _big("at"),
)
"""How far a job is, for its status; `total` is 0 while it is not known."""

later = Table(
    "later",
    metadata,
    _key("id", primary_key=True),
    _key("kind"),
    _key("who"),
    _key("state"),
    _big("created"),
    _big("expires"),
    Column("request", Text, nullable=False),
    Column("result", LargeBinary),
    Index("later_who", "who", "state"),
    Index("later_expires", "expires"),
)
"""Requests that are answered later; times in milliseconds, `expires` counts from the end and is 0 until then."""

later_chunk = Table(
    "later_chunk",
    metadata,
    _key("request", primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    _key("section"),
    _key("file"),
    _key("type"),
    _key("first"),
    _key("last"),
    _integer("lines"),
    _big("size"),
    _big("crc"),
    Column("body", LargeBinary, nullable=False),
    Index("later_chunk_file", "request", "section", "file", "n"),
)
"""NDJSON that goes in or comes out, packed; `first` and `last` are the least and greatest id in it."""

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _Row, primary_key=True, autoincrement=False),
    _big("at"),
    _key("type"),
    _key("id"),
    _integer("version"),
    _key("change"),
)
"""Versions that a subscription may want to hear of, written with them; gone when they have become events."""

subscription = Table(
    "subscription",
    metadata,
    _key("id", primary_key=True),
    _integer("version"),
    _key("state"),
    _key("type"),
    _key("channel"),
    _big("since"),
    _big("events"),
    _big("delivered"),
    _integer("failures"),
    _big("due"),
    _big("beat"),
)
"""The live side of each Subscription: how many events it has had and been told, and when it is told more."""

event = Table(
    "event",
    metadata,
    _key("subscription", primary_key=True),
    Column("number", _Row, primary_key=True, autoincrement=False),
    _big("at"),
    _key("type"),
    _key("id"),
    _integer("version"),
    _key("change"),
    Index("event_at", "at"),
)
"""What a subscription is told, in this order; kept for `$events` until it is pruned."""

socket_token = Table(
    "socket_token",
    metadata,
    _key("token", primary_key=True),
    _big("expires"),
    Column("subscriptions", Text, nullable=False),
)
"""Hashes of tokens that bind a websocket to subscriptions."""
