"""Spans by the SDK of OpenTelemetry (https://opentelemetry-python.readthedocs.io/en/latest/sdk/trace.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from server.telemetry import spans
from server.telemetry.vocabulary import told


class Traced:
    """A span that runs."""

    def __init__(self, name: str, inner: trace.Span) -> None:
        self._name, self._inner = name, inner
        self.parent = parent_of(inner)

    def set(self, **attributes: Any) -> None:
        """Tell more of it."""
        self._inner.set_attributes(told(self._name, spans.dotted(attributes)))

    def fail(self) -> None:
        """It ended in an error; which one is for the log to say."""
        self._inner.set_status(Status(StatusCode.ERROR))


class SdkTracing:
    """What makes spans."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(
        self, name: str, kind: str, parent: str, links: Iterable[str], began: int, attributes: Mapping[str, Any]
    ) -> Iterator[Traced]:
        """A span around a block; an exception makes it one that failed, and its text is not told."""
        inner = self._tracer.start_span(
            name,
            _context(parent),
            SpanKind[kind.upper()],
            told(name, attributes),
            [Link(one) for one in map(_remote, links) if one is not None],
            began or None,
        )
        traced = Traced(name, inner)
        with trace.use_span(inner, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield traced
            except BaseException as error:
                if isinstance(error, Exception):
                    traced.fail()
                raise

    def past(self, name: str, parent: str, began: int, ended: int, attributes: Mapping[str, Any]) -> None:
        """A span that is over."""
        self._tracer.start_span(
            name, _context(parent), SpanKind.INTERNAL, told(name, attributes), start_time=began
        ).end(max(began, ended))

    def current(self) -> str:
        """The `traceparent` of what runs now."""
        return parent_of(trace.get_current_span())


def parent_of(span: trace.Span) -> str:
    """The `traceparent` of a span; empty for none."""
    context = span.get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _context(parent: str) -> Context | None:
    """The context that a `traceparent` names; None for the current one."""
    remote = _remote(parent)
    return None if remote is None else trace.set_span_in_context(NonRecordingSpan(remote), Context())


def _remote(parent: str) -> SpanContext | None:
    if not spans.read_parent(parent):
        return None
    _, trace_id, span_id, flags = parent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16) & TraceFlags.SAMPLED))
