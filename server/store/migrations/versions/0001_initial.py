"""The first schema: resources, history, audit, steps of jobs and the search index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=options.pop("nullable", False), **options)


def _id(name: str, kind: Any = ROW) -> sa.Column[Any]:
    return _column(name, kind, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "resource",
        _id("rid"),
        _column("type", KEY),
        _column("id", KEY),
        _column("version", sa.Integer()),
        _column("updated", sa.BigInteger()),
        _column("change", KEY),
        _column("patient", KEY, nullable=True),
        _column("body", sa.LargeBinary()),
    )
    op.create_index("resource_id", "resource", ["type", "id"], unique=True)
    op.create_index("resource_updated", "resource", ["type", "updated", "rid"])
    op.create_table(
        "history",
        _id("rid"),
        _id("version", sa.Integer()),
        _column("type", KEY),
        _column("id", KEY),
        _column("updated", sa.BigInteger()),
        _column("change", KEY),
        _column("body", sa.LargeBinary()),
    )
    op.create_table(
        "audit",
        _id("aid"),
        _column("at", sa.BigInteger()),
        *(_column(name, KEY) for name in ("who", "action", "type", "id")),
        _column("version", sa.Integer()),
        _column("outcome", sa.Integer()),
    )
    op.create_table("param", _id("param", sa.Integer()), *(_column(name, KEY) for name in ("type", "code", "kind")))
    op.create_table(
        "job_step",
        _column("job", KEY, primary_key=True),
        _column("step", KEY, primary_key=True),
        _column("output", sa.Text()),
    )
    _create_index_tables()


def _create_index_tables() -> None:
    big, real = sa.BigInteger(), sa.Float(53)
    _index_table(
        "token",
        [("code", KEY), ("system", big), ("patient", big), ("date", big)],
        [("param", "code", "date", "rid", "system")],
        nullable="patient",
    )
    of_patient = sa.text("patient IS NOT NULL")
    op.create_index(
        "idx_token_patient",
        "idx_token",
        ["patient", "param", "code", "date", "rid", "system"],
        sqlite_where=of_patient,
        postgresql_where=of_patient,
    )
    both_ways = [("param", "lo", "hi", "rid"), ("param", "hi", "lo", "rid")]
    _index_table("string", [("value", KEY), ("exact", KEY)], [("param", "value", "rid")])
    _index_table("date", [("lo", big), ("hi", big)], both_ways)
    _index_table("reference", [("target", KEY), ("date", big)], [("param", "target", "date", "rid")])
    _index_table("quantity", [("lo", real), ("hi", real), ("system", big), ("code", KEY)], both_ways)
    _index_table("uri", [("value", KEY)], [("param", "value", "rid")])


def _index_table(
    name: str, columns: list[tuple[str, Any]], indexes: Sequence[tuple[str, ...]], nullable: str | None = None
) -> None:
    op.create_table(
        f"idx_{name}",
        _id("rid"),
        _id("n", sa.SmallInteger()),
        _column("param", sa.Integer()),
        *(_column(column, kind, nullable=column == nullable) for column, kind in columns),
        sqlite_with_rowid=False,
    )
    for number, names in enumerate(indexes, 1):
        op.create_index(f"idx_{name}_{number}", f"idx_{name}", list(names))
