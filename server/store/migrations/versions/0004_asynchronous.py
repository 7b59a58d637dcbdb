"""Subscriptions with their outbox, and requests that are answered later."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BIG, INT, TEXT = sa.BigInteger(), sa.Integer(), sa.Text()

TABLES: dict[str, list[tuple[str, Any]]] = {
    "job_progress": [("job", KEY), ("done", BIG), ("total", BIG), ("at", BIG)],
    "later": [
        *((name, KEY) for name in ("id", "kind", "who", "state")),
        *((name, BIG) for name in ("created", "expires")),
        ("request", TEXT),
        ("result", sa.LargeBinary()),
    ],
    "later_chunk": [
        ("request", KEY),
        ("n", INT),
        *((name, KEY) for name in ("section", "file", "type", "first", "last")),
        ("lines", INT),
        ("size", BIG),
        ("crc", BIG),
        ("body", sa.LargeBinary()),
    ],
    "outbox": [("seq", ROW), ("at", BIG), ("type", KEY), ("id", KEY), ("version", INT), ("change", KEY)],
    "subscription": [
        ("id", KEY),
        ("version", INT),
        *((name, KEY) for name in ("state", "type", "channel")),
        *((name, BIG) for name in ("since", "events", "delivered")),
        ("failures", INT),
        *((name, BIG) for name in ("due", "beat")),
    ],
    "event": [
        ("subscription", KEY),
        ("number", ROW),
        ("at", BIG),
        ("type", KEY),
        ("id", KEY),
        ("version", INT),
        ("change", KEY),
    ],
    "socket_token": [("token", KEY), ("expires", BIG), ("subscriptions", TEXT)],
}
KEYS = {"later_chunk": ("request", "n"), "event": ("subscription", "number")}
INDEXES = {
    "later_who": ("later", ["who", "state"]),
    "later_expires": ("later", ["expires"]),
    "later_chunk_file": ("later_chunk", ["request", "section", "file", "n"]),
    "event_at": ("event", ["at"]),
}


def upgrade() -> None:
    """Create what is new."""
    for table, columns in TABLES.items():
        keys = KEYS.get(table, (columns[0][0],))
        op.create_table(
            table,
            *(
                sa.Column(name, kind, primary_key=True, autoincrement=False)
                if name in keys
                else sa.Column(name, kind, nullable=(table, name) == ("later", "result"))
                for name, kind in columns
            ),
        )
    for name, (table, names) in INDEXES.items():
        op.create_index(name, table, names)


def downgrade() -> None:
    """Remove it."""
    for table in TABLES:
        op.drop_table(table)
