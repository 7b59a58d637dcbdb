"""The ledger of what came in by other doors than HTTP, and its quarantine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
STORED = sa.text("state = 'stored'")


def upgrade() -> None:
    """Create what is new."""
    op.create_table(
        "arrival",
        sa.Column("id", KEY, primary_key=True, nullable=False),
        *(sa.Column(name, KEY, nullable=False) for name in ("door", "key", "hash")),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, KEY, nullable=False) for name in ("state", "reason")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("text", "written")),
    )
    op.create_index("arrival_state", "arrival", ["state", "at", "id"])
    op.create_index(
        "arrival_key", "arrival", ["door", "key"], unique=True, sqlite_where=STORED, postgresql_where=STORED
    )
    op.create_table(
        "arrival_raw",
        sa.Column("id", KEY, primary_key=True, nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("arrival_raw")
    op.drop_table("arrival")
