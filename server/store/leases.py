"""The table of leases: who holds a slot or a duty, under which fence, and its last beat."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from .schema import metadata

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),  # the process, as its connections are called; empty once it gave it back
    Column("fence", BigInteger, nullable=False),  # grows each time it changes hands: what holds an older one is void
    Column("beat", BigInteger, nullable=False),  # grows as long as the holder lives
)
