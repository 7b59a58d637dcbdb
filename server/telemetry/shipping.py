"""Lines of the log as records of OTLP (https://opentelemetry.io/docs/specs/otel/logs/data-model/)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import orjson
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

_LEVELS = {
    "debug": SeverityNumber.DEBUG, "info": SeverityNumber.INFO, "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR, "critical": SeverityNumber.FATAL,
}  # fmt: skip
_OURS = frozenset({"event", "level", "timestamp", "trace_id", "span_id"})


class Shipping:
    """Sends the same scrubbed lines that are printed, in batches, from a thread."""

    def __init__(self, resource: Resource) -> None:
        self._provider = LoggerProvider(resource, shutdown_on_exit=False)
        self._provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        self._logger = self._provider.get_logger("fhirwright")
        self._inside = threading.local()

    def send(self, line: Mapping[str, Any]) -> None:
        """Take one line; what the taking itself logs (a full queue) is printed only."""
        if getattr(self._inside, "busy", False):
            return
        self._inside.busy = True
        try:
            level = str(line.get("level", "info"))
            self._logger.emit(
                LogRecord(
                    severity_number=_LEVELS.get(level, SeverityNumber.INFO),
                    severity_text=level,
                    body=str(line.get("event", "")),
                    attributes={key: _plain(value) for key, value in line.items() if key not in _OURS},
                )
            )
        finally:
            self._inside.busy = False

    def stop(self) -> None:
        """Send what waits, and end."""
        self._provider.shutdown()


def _plain(value: Any) -> str | int | float | bool:
    if isinstance(value, str | int | float | bool):
        return value
    return orjson.dumps(value, default=repr).decode()
