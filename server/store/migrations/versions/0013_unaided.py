"""Documents that people code unaided, and what the machine made of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create what is new."""
    op.create_table(
        "unaided",
        sa.Column("document", KEY, primary_key=True, nullable=False),
        sa.Column("claim", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
    )
    op.create_index("unaided_claim", "unaided", ["claim"], unique=True)
    op.create_table(
        "unaided_apart",
        sa.Column("document", KEY, primary_key=True, nullable=False),
        sa.Column("owner", KEY, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("unaided_apart")
    op.drop_table("unaided")
