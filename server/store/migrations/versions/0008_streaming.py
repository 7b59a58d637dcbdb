"""How far each resource has come by what Kafka brought, and what was counted of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger()


def upgrade() -> None:
    """Create what is new."""
    op.create_table(
        "stream_position",
        sa.Column("subject", KEY, primary_key=True, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("position", BIG, nullable=False),
    )
    op.create_table(
        "stream_count",
        sa.Column("name", KEY, primary_key=True, nullable=False),
        sa.Column("label", KEY, primary_key=True, nullable=False),
        sa.Column("value", BIG, nullable=False),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("stream_count")
    op.drop_table("stream_position")
