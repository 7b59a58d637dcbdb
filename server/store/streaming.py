"""The tables of streams: how far each resource has come by what Kafka brought, and what was counted."""

from __future__ import annotations

from sqlalchemy import Table

from .schema import _big, _integer, _key, metadata

stream_position = Table(
    "stream_position",
    metadata,
    _key("subject", primary_key=True),
    _integer("rank"),
    _big("position"),
)
"""`subject` is `Type/id`; `rank` says by which rule the position was read, `server.streaming.order.Rule`."""

stream_count = Table(
    "stream_count",
    metadata,
    _key("name", primary_key=True),
    _key("label", primary_key=True),
    _big("value"),
)
"""What the metrics tell of streams: messages by fate, the lag of each partition."""
