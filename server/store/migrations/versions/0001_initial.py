"""temporary"""

from alembic import op

from server.store.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create."""
    metadata.create_all(op.get_bind())
