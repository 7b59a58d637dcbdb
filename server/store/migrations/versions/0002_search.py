"""Search: composite, full-text and hierarchy rows, and search parameters of one's own."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create what is new."""


def downgrade() -> None:
    """Remove it."""
