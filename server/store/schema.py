"""The tables, once for both engines: resources, their history, typed search index rows, the audit trail.

Index rows are clustered by row id on SQLite, so that a new version replaces its rows without an index of their own.
Token and reference rows carry the patient and the main date: one patient's codes by date are one index range.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

metadata = MetaData()

# Byte order on both engines: prefix ranges and keyset pages compare text in the database.
_Key = Text().with_variant(Text(collation="C"), "postgresql")
_Number = SmallInteger().with_variant(Integer, "postgresql")
_Row = BigInteger().with_variant(Integer, "sqlite")


def _key(name: str, **options: Any) -> Column[str]:
    return Column(name, _Key, nullable=False, **options)


def _integer(name: str, **options: Any) -> Column[int]:
    return Column(name, Integer, nullable=False, **options)


def _big(name: str, **options: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=False, **options)


resource = Table(
    "resource",
    metadata,
    Column("rid", _Row, primary_key=True, autoincrement=False),
    _key("type"),
    _key("id"),
    _integer("version"),
    _big("updated"),
    _key("change"),
    Column("patient", _Key),
    Column("body", LargeBinary, nullable=False),
    Index("resource_id", "type", "id", unique=True),
    Index("resource_updated", "type", "updated", "rid"),
    Index("resource_changed", "updated", "rid"),
)

history = Table(
    "history",
    metadata,
    Column("rid", _Row, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _key("type"),
    _key("id"),
    _big("updated"),
    _key("change"),
    Column("body", LargeBinary, nullable=False),
    Column("patient", _Key),
    _big("ended"),
    Index("history_type", "type", "updated", "rid"),
    Index("history_updated", "updated", "rid"),
)
"""The versions before the newest; `ended` is when the next one came."""

audit_event = Table(
    "audit_event",
    metadata,
    Column("seq", _Row, primary_key=True, autoincrement=False),
    _integer("events"),
    _big("at"),
    Column("hash", LargeBinary, nullable=False),
    Column("prints", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("audit_event_at", "at", "seq"),
)
"""The audit chain, some events a row (`ledger.Chained`); nothing in it is ever changed."""

audit_key = Table(
    "audit_key",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("block", _Row, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""What events are found by: a patient, what they are about, `by` whom, what was done, how it ended; once for each
`ledger.BLOCK` of events."""

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("seq", _Row, primary_key=True, autoincrement=False),
    Column("signer", _Key, primary_key=True),
    _big("at"),
    Column("line", Text, nullable=False),
)
"""Signed checkpoints of the chain, as they stand in the file outside."""

audit_spool = Table("audit_spool", metadata, Column("name", _Key, primary_key=True), _big("position"))
"""How far the files of processes have been chained."""

audit_trail = Table("audit_trail", metadata, Column("id", _Key, primary_key=True))
"""The name of this database among others in the same data directory: one row."""

param = Table(
    "param",
    metadata,
    Column("param", Integer, primary_key=True, autoincrement=False),
    _key("type"),
    _key("code"),
    _key("kind"),
)

index_state = Table("index_state", metadata, Column("name", _Key, primary_key=True), _integer("version"))
"""By which rules the index rows were made; see `server.search.reindex`."""

job_step = Table(
    "job_step",
    metadata,
    Column("job", _Key, primary_key=True),
    Column("step", _Key, primary_key=True),
    Column("output", Text, nullable=False),
)
"""What the transactional steps of jobs answered: written in the transaction of the step itself."""


def _index_table(name: str, *columns: Column[Any], by: tuple[tuple[str, ...], ...]) -> Table:
    """A table of search values, one row per value, numbered within its resource; `by` lists its indexes."""
    table = Table(
        f"idx_{name}",
        metadata,
        Column("rid", _Row, primary_key=True, autoincrement=False),
        Column("n", _Number, primary_key=True, autoincrement=False),
        _integer("param"),
        *columns,
        sqlite_with_rowid=False,
    )
    for number, names in enumerate(by, 1):
        Index(f"idx_{name}_{number}", *(table.c[column] for column in names))
    return table


token = _index_table(
    "token",
    _key("code"),
    _big("system"),
    Column("patient", BigInteger),
    _big("date"),
    by=(("param", "code", "date", "rid", "system"),),
)
_of_patient = token.c.patient.is_not(None)
Index(
    "idx_token_patient",
    *(token.c[name] for name in ("patient", "param", "code", "date", "rid", "system")),
    sqlite_where=_of_patient,
    postgresql_where=_of_patient,
)

string = _index_table(
    "string",
    _key("value"),
    _key("exact"),
    Column("whole", _Key),
    by=(("param", "value", "rid"),),
)
"""`value` is the normalised text, cut; `whole` is all of it where something was cut."""

date = _index_table(
    "date",
    _big("lo"),
    _big("hi"),
    by=(("param", "lo", "hi", "rid"), ("param", "hi", "lo", "rid")),
)

reference = _index_table(
    "reference",
    _key("target"),
    _big("date"),
    by=(("param", "target", "date", "rid"),),
)

quantity = _index_table(
    "quantity",
    Column("lo", Float(53), nullable=False),
    Column("hi", Float(53), nullable=False),
    _big("system"),
    _key("code"),
    Column("unit", _Key),
    by=(("param", "lo", "hi", "rid"),),
)
"""`unit` is the written unit where it is not the code. An interval has a second row: see `server.search.measure`."""

uri = _index_table("uri", _key("value"), by=(("param", "value", "rid"),))

composite = _index_table(
    "composite",
    _key("code"),
    _big("system"),
    Column("lo", Float(53), nullable=False),
    Column("hi", Float(53), nullable=False),
    Column("code2", _Key),
    Column("system2", BigInteger),
    Column("unit", _Key),
    Column("lo2", Float(53)),
    Column("hi2", Float(53)),
    by=(("param", "code", "lo", "hi", "rid"),),
)
"""Values that stand together: a first code, text or reference, a range, then what there is beside them."""

text = Table(
    "idx_text",
    metadata,
    Column("rid", _Row, primary_key=True, autoincrement=False),
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("narrative", Text, nullable=False),
    Column("content", Text, nullable=False),
)
"""The words of a resource. On SQLite this is a view of the FTS5 table `idx_words`, whose row id is the resource's."""

INDEX_TABLES = (token, string, date, reference, quantity, uri, composite, text)
