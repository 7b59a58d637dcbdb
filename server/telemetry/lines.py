"""Lines of the log on their way to a collector, each with the ids of the trace it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

from server.telemetry import spans

log = structlog.get_logger("fhirwright.telemetry")
sink: Callable[[Mapping[str, Any]], None] | None = None
"""Takes each line; set once at the start of a process that ships its log."""


def note(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add `trace_id` and `span_id` where something is traced, and hand the line on as it will be printed."""
    if parent := spans.current():
        _, event["trace_id"], event["span_id"], _ = parent.split("-")
    if sink is not None:
        sink(event)
    return event
