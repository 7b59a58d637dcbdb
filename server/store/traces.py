"""The table of traces: which request or job a version follows from (https://www.w3.org/TR/trace-context/).

It stands beside the outbox and its events, not in them: code of the version before writes whole rows of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Index, Table

from .schema import _big, _integer, _key, metadata

trace = Table(
    "trace",
    metadata,
    _key("type", primary_key=True),
    _key("id", primary_key=True),
    _integer("version", primary_key=True, autoincrement=False),
    _big("at"),
    _key("parent"),
    Index("trace_at", "at"),
)
"""The `traceparent` of what wrote a version that a subscription or Kafka may want; `at` in microseconds since 1970."""

NOTE = "INSERT INTO trace (type, id, version, at, parent) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
FORGET = "DELETE FROM trace WHERE at < ?"
_FIND = "SELECT parent FROM trace WHERE type = ? AND id = ? AND version = ?"

Query = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


def traces_of(query: Query, versions: Iterable[tuple[str, str, int]]) -> list[str]:
    """The traces that versions follow from, in their order, each once; nothing of a version that was not traced."""
    found = (row[0] for version in versions for row in query(_FIND, version))
    return list(dict.fromkeys(found))
