"""People, clients, sessions, launches, authorizations and tokens; the audit chain in place of the rows before it."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BIG, TEXT = sa.BigInteger(), sa.Text()
KEPT = ("audit_event", "audit_key", "audit_checkpoint")
CHAIN = (*KEPT, "audit_spool", "audit_trail")
REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is append only'; END $$
"""

TABLES: dict[str, list[tuple[str, Any]]] = {
    "auth_person": [("id", KEY), ("name", KEY), ("data", TEXT)],
    "auth_client": [("id", KEY), ("data", TEXT)],
    "auth_session": [("hash", KEY), ("person", KEY), ("seen", BIG), ("data", TEXT)],
    "auth_pending": [("hash", KEY), ("expires", BIG), ("data", TEXT)],
    "auth_launch": [("hash", KEY), ("expires", BIG), ("data", TEXT)],
    "auth_authorization": [("id", KEY), ("client", KEY), ("person", KEY), ("revoked", BIG), ("data", TEXT)],
    "auth_token": [
        ("hash", KEY),
        ("granted", KEY),
        ("kind", KEY),
        ("expires", BIG),
        ("used", BIG),
        ("revoked", BIG),
        ("data", TEXT),
    ],
    "auth_assertion": [("hash", KEY), ("expires", BIG)],
    "auth_attempt": [("key", KEY), ("failures", BIG), ("until", BIG), ("last", BIG)],
    "auth_key": [("kid", KEY), ("made", BIG), ("data", TEXT)],
    "subscription_owner": [("rid", BIG), ("id", KEY), ("owner", KEY), ("data", TEXT)],
    "phi_key": [("number", BIG), ("owner", KEY), ("kek", sa.Integer()), ("made", BIG), ("wrapped", sa.LargeBinary())],
    "phi_state": [("name", KEY), ("value", KEY)],
}
INDEXES = {
    "auth_person_name": ("auth_person", ["name"], True),
    "auth_session_person": ("auth_session", ["person"], False),
    "auth_authorization_client": ("auth_authorization", ["client", "person"], False),
    "auth_token_granted": ("auth_token", ["granted"], False),
    "auth_token_expires": ("auth_token", ["expires"], False),
    "subscription_owner_id": ("subscription_owner", ["id"], True),
    "auth_assertion_expires": ("auth_assertion", ["expires"], False),
    "phi_key_owner": ("phi_key", ["owner", "number"], False),
}


def upgrade() -> None:
    """Create what is new."""
    for table, columns in TABLES.items():
        op.create_table(
            table,
            *(sa.Column(name, kind, primary_key=not n, nullable=False) for n, (name, kind) in enumerate(columns)),
        )
    for name, (table, names, unique) in INDEXES.items():
        op.create_index(name, table, names, unique=unique)
    _create_chain()


def downgrade() -> None:
    """Remove it."""
    for table in TABLES:
        op.drop_table(table)
    for table in CHAIN:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse")
    columns: list[tuple[str, Any]] = [("at", BIG), *((name, KEY) for name in ("who", "action", "type", "id"))]
    columns += [("version", sa.Integer()), ("outcome", sa.Integer())]
    op.create_table(
        "audit",
        sa.Column("aid", ROW, primary_key=True, autoincrement=False),
        *(sa.Column(name, kind, nullable=False) for name, kind in columns),
    )


def _create_chain() -> None:
    """The chain, whose rows the database itself refuses to change, with what was kept before in front."""
    op.create_table(
        "audit_event",
        sa.Column("seq", ROW, primary_key=True, autoincrement=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("prints", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("audit_event_at", "audit_event", ["at", "seq"])
    op.create_table(
        "audit_key",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("block", ROW, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("seq", ROW, primary_key=True, autoincrement=False),
        sa.Column("signer", KEY, primary_key=True),
        sa.Column("at", BIG, nullable=False),
        sa.Column("line", TEXT, nullable=False),
    )
    op.create_table(
        "audit_spool",
        sa.Column("name", KEY, primary_key=True),
        sa.Column("position", BIG, nullable=False),
    )
    op.create_table("audit_trail", sa.Column("id", KEY, primary_key=True))
    op.execute(f"INSERT INTO audit_trail (id) VALUES ('{secrets.token_hex(8)}')")
    _take_over()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFUSE)
        for table in KEPT:
            when = f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            op.execute(f"CREATE TRIGGER audit_kept {when} EXECUTE FUNCTION audit_refuse()")
    else:
        for table in KEPT:
            for what in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_{what.lower()} BEFORE {what} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append only'); END"
                )


def _take_over() -> None:
    """The rows about writes that were kept before, as the first events."""
    connection = op.get_bind()
    names = "at, who, action, type, id, version, outcome"
    hash_, seq = bytes(32), 0
    for at, who, action, kind, name, version, status in connection.execute(
        sa.text(f"SELECT {names} FROM audit ORDER BY at, aid")
    ):
        words = ["", "", "", "", "", "", "", "", ""]
        event = [at, action, status, kind, name, version, [], who, *words, "", None]
        data = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        leaf = hashlib.sha256(data).digest()
        seq, hash_ = seq + 1, hashlib.sha256(hash_ + leaf).digest()
        row = {"seq": seq, "at": at, "hash": hash_, "prints": leaf[:6], "data": data}
        connection.execute(sa.text("INSERT INTO audit_event VALUES (:seq, 1, :at, :hash, :prints, :data)"), row)
        for key in (f"{kind}/{name}", f"by {who}", f"did {action}"):
            statement = sa.text("INSERT INTO audit_key VALUES (:key, :block) ON CONFLICT (key, block) DO NOTHING")
            connection.execute(statement, {"key": key, "block": seq // 1024})
    op.drop_table("audit")
