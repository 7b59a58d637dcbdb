"""Subscriptions with their outbox, and requests that are answered later."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create what is new."""


def downgrade() -> None:
    """Remove it."""
