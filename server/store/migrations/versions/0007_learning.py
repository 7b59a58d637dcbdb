"""What was learned from coders' decisions: runs, versions of the model with their files, which of them codes, drift."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger()
TABLES: dict[str, list[tuple[str, sa.types.TypeEngine[Any]]]] = {
    "learn_file": [("hash", KEY), ("body", sa.Text())],
    "learn_run": [("id", KEY), ("at", BIG), ("state", KEY), ("data", sa.Text())],
    "learn_version": [("id", KEY), ("at", BIG), ("state", KEY), ("data", sa.Text())],
    "learn_change": [("number", BIG), ("at", BIG), ("version", KEY), ("kind", KEY), ("who", KEY), ("why", sa.Text())],
    "learn_watch": [("id", KEY), ("at", BIG), ("data", sa.Text())],
}


def upgrade() -> None:
    """Create what is new."""
    for table, columns in TABLES.items():
        op.create_table(
            table,
            *(
                sa.Column(name, kind, primary_key=not n, nullable=False, autoincrement=False)
                for n, (name, kind) in enumerate(columns)
            ),
        )
    op.create_table(
        "learn_shadow",
        sa.Column("version", KEY, primary_key=True, nullable=False),
        sa.Column("measure", KEY, primary_key=True, nullable=False),
        sa.Column("count", BIG, nullable=False),
    )


def downgrade() -> None:
    """Remove it."""
    for table in (*TABLES, "learn_shadow"):
        op.drop_table(table)
