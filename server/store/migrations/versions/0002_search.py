"""Search: composite rows, whole strings, written units, words, and by which rules the rows were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = 1
"""The rules of rows made before this: such a database is to be indexed again, which it is told by this number."""
INDEX_VERSION = 2
SQLITE_WORDS = (
    """CREATE VIRTUAL TABLE idx_words
       USING fts5(narrative, content, columnsize=0, tokenize="unicode61 remove_diacritics 0")""",
    """CREATE VIEW idx_text (rid, n, narrative, content, words) AS
       SELECT rowid, 0, narrative, content, idx_words FROM idx_words""",
    """CREATE TRIGGER idx_text_insert INSTEAD OF INSERT ON idx_text BEGIN
       INSERT INTO idx_words (rowid, narrative, content) VALUES (new.rid, new.narrative, new.content); END""",
    """CREATE TRIGGER idx_text_delete INSTEAD OF DELETE ON idx_text BEGIN
       DELETE FROM idx_words WHERE rowid = old.rid; END""",
)
"""The same face as on PostgreSQL, so that rows are written and removed like those of every other index table."""


def upgrade() -> None:
    """Create what is new. Rows that stand keep serving until they are made again."""
    op.add_column("idx_string", sa.Column("whole", KEY, nullable=True))
    op.add_column("idx_quantity", sa.Column("unit", KEY, nullable=True))
    op.create_table(
        "idx_composite",
        sa.Column("rid", ROW, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("n", sa.SmallInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("param", sa.Integer(), nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("system", sa.BigInteger(), nullable=False),
        sa.Column("lo", sa.Float(53), nullable=False),
        sa.Column("hi", sa.Float(53), nullable=False),
        sa.Column("code2", KEY, nullable=True),
        sa.Column("system2", sa.BigInteger(), nullable=True),
        sa.Column("unit", KEY, nullable=True),
        sa.Column("lo2", sa.Float(53), nullable=True),
        sa.Column("hi2", sa.Float(53), nullable=True),
        sqlite_with_rowid=False,
    )
    op.drop_index("idx_quantity_2", "idx_quantity")
    op.create_index("idx_composite_1", "idx_composite", ["param", "code", "lo", "hi", "rid"])
    state = op.create_table(
        "index_state",
        sa.Column("name", KEY, primary_key=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE_WORDS:
            op.execute(statement)
    else:
        _create_postgres_words()
    filled = op.get_bind().scalar(sa.text("SELECT 1 FROM resource LIMIT 1")) is not None
    op.bulk_insert(state, [{"name": "rows", "version": BEFORE if filled else INDEX_VERSION}])


def _create_postgres_words() -> None:
    """Words as text with indexes over them, and room for more than 32,767 rows of one resource in a table."""
    for name in ("token", "string", "date", "reference", "quantity", "uri", "composite"):
        op.execute(f"ALTER TABLE idx_{name} ALTER COLUMN n TYPE integer")
    op.create_table(
        "idx_text",
        sa.Column("rid", ROW, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("narrative", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
    )
    op.execute(
        "CREATE INDEX idx_text_narrative ON idx_text USING gin (to_tsvector('simple', narrative)) WHERE narrative <> ''"
    )
    op.execute("CREATE INDEX idx_text_all ON idx_text USING gin (to_tsvector('simple', narrative || ' ' || content))")


def downgrade() -> None:
    """Remove it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP VIEW idx_text")
        op.execute("DROP TABLE idx_words")
    else:
        op.drop_table("idx_text")
    op.drop_table("index_state")
    op.create_index("idx_quantity_2", "idx_quantity", ["param", "hi", "lo", "rid"])
    op.drop_table("idx_composite")
    op.drop_column("idx_quantity", "unit")
    op.drop_column("idx_string", "whole")
