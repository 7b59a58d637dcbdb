"""The oldest version whose code may still work on this schema, so that old and new can run side by side."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create what is new."""
    op.create_table("schema_floor", sa.Column("revision", sa.Text(), primary_key=True, nullable=False))


def downgrade() -> None:
    """Remove it."""
    op.drop_table("schema_floor")
