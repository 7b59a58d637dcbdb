"""History by type and for the whole system: when a version ended, whose it was, and indexes by time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
FILL = """
UPDATE history SET
  patient = (SELECT r.patient FROM resource r WHERE r.rid = history.rid),
  ended = coalesce(
    (SELECT h.updated FROM history h WHERE h.rid = history.rid AND h.version = history.version + 1),
    (SELECT r.updated FROM resource r WHERE r.rid = history.rid AND r.version = history.version + 1),
    updated)
"""


def upgrade() -> None:
    """Add the columns and fill them from what is there, then the indexes."""
    op.add_column("history", sa.Column("patient", KEY, nullable=True))
    op.add_column("history", sa.Column("ended", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(FILL)
    op.create_index("history_type", "history", ["type", "updated", "rid"])
    op.create_index("history_updated", "history", ["updated", "rid"])
    op.create_index("resource_changed", "resource", ["updated", "rid"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("resource_changed", "resource")
    op.drop_index("history_updated", "history")
    op.drop_index("history_type", "history")
    op.drop_column("history", "ended")
    op.drop_column("history", "patient")
