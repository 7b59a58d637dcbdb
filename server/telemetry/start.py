"""Starting and ending what is sent over OTLP: once for a process, and never in the way of a request.

Where to and how is said by OTEL_EXPORTER_OTLP_* (https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

from prometheus_client import Metric

from server.settings import Settings, SettingsError
from server.telemetry import lines, spans

Collect = Callable[[], Iterable[Metric]]
"""Metrics of Prometheus beside those that the process counts."""

SHUTDOWN_SECONDS = 5.0
"""How long the end of a process waits for the collector."""
_QUIET_SECONDS = 60.0

_MISSING = (
    "FHIRWRIGHT_TELEMETRY: the packages of OpenTelemetry are not there. Install `fhirwright[otel]`, or leave it empty."
)
_GRPC = "OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is spoken; send to the collector's port for HTTP (4318)."
_started: list[Telemetry] = []
_lock = threading.Lock()


class Telemetry:
    """What was started; `stop` it last."""

    def __init__(self, ends: Iterable[Callable[[], Any]]) -> None:
        self._ends = tuple(ends)

    def stop(self) -> None:
        """Send what waits, for a few seconds at most; the process goes on without a collector as with one."""
        spans.tracing, lines.sink = None, None
        with _lock:
            _started.clear()
        threads = [threading.Thread(target=end, daemon=True) for end in self._ends]
        until = time.monotonic() + SHUTDOWN_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def start(settings: Settings, role: str, collect: Collect = tuple) -> Telemetry | None:
    """Begin to send what the settings name, `role` being what the process does; None when that is nothing.

    A process starts once, whatever else asks (tenants). Raises SettingsError when it cannot be.
    """
    if not settings.telemetry:
        return None
    with _lock:
        if _started:
            return _started[0]
        wrong = protocol_wrong()
        if wrong:
            raise SettingsError(wrong)
        try:
            _started.append(_begin(settings, role, collect))
        except ImportError:
            raise SettingsError(_MISSING) from None
        return _started[0]


def protocol_wrong() -> str | None:
    """What of the standard variables we do not do, None when all is well."""
    names = ("", "_TRACES", "_METRICS", "_LOGS")
    given = {os.environ.get(f"OTEL_EXPORTER_OTLP{name}_PROTOCOL", "http/protobuf") for name in names}
    return None if given == {"http/protobuf"} else _GRPC


def _begin(settings: Settings, role: str, collect: Collect) -> Telemetry:
    from opentelemetry.sdk.resources import Resource

    from server.store.postgres import PROCESS

    _quiet()
    resource = Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME", "fhirwright"),
            "service.version": version("fhirwright"),
            "service.instance.id": PROCESS,
            "fhirwright.role": role,
        }
    )
    ends: list[Callable[[], Any]] = []
    if "traces" in settings.telemetry:
        ends.append(_traces(resource, settings))
    if "metrics" in settings.telemetry:
        from server.telemetry.bridge import Bridge

        ends.append(Bridge(resource, collect).stop)
    if "logs" in settings.telemetry:
        from server.telemetry.shipping import Shipping

        shipping = Shipping(resource)
        lines.sink = shipping.send
        ends.append(shipping.stop)
    return Telemetry(ends)


def _traces(resource: Any, settings: Settings) -> Callable[[], Any]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from server.telemetry.sampling import ErrorsToo, Share
    from server.telemetry.tracer import SdkTracing

    provider = TracerProvider(sampler=Share(settings.trace_ratio), resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(ErrorsToo(BatchSpanProcessor(OTLPSpanExporter())))
    spans.tracing = SdkTracing(provider.get_tracer("fhirwright", version("fhirwright")))
    return provider.shutdown


class _Place(logging.Handler):
    """Says once a minute that sending fails; the texts of OpenTelemetry quote what a collector answered."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said = -_QUIET_SECONDS

    def emit(self, record: logging.LogRecord) -> None:
        """Note one record."""
        if time.monotonic() - self._said >= _QUIET_SECONDS:
            self._said = time.monotonic()
            lines.log.warning("telemetry.failed", place=f"{record.module}:{record.lineno}")


def _quiet() -> None:
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [_Place()], False
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
