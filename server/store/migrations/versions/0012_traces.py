"""What a version follows from, for those who are told of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create what is new."""
    op.create_table(
        "trace",
        sa.Column("type", KEY, primary_key=True, nullable=False),
        sa.Column("id", KEY, primary_key=True, nullable=False),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("parent", KEY, nullable=False),
    )
    op.create_index("trace_at", "trace", ["at"])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("trace")
