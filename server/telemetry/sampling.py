"""Which spans are sent: a share of the traces whole, and of the others what ended in an error.

https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags, get_current_span


class Share(Sampler):
    """Goes by the parent, else by the trace's id; what is not sampled is measured all the same, as it may fail."""

    def __init__(self, ratio: float) -> None:
        self._ratio = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: Any = None,  # noqa: ARG002 - the interface
        attributes: Any = None,
        links: Any = None,  # noqa: ARG002
        trace_state: Any = None,  # noqa: ARG002
    ) -> SamplingResult:
        """Whether the trace is sent whole."""
        parent = get_current_span(parent_context).get_span_context()
        if parent.is_valid:
            wanted = bool(parent.trace_flags & TraceFlags.SAMPLED)
        else:
            wanted = self._ratio.should_sample(None, trace_id, name).decision is Decision.RECORD_AND_SAMPLE
        return SamplingResult(Decision.RECORD_AND_SAMPLE if wanted else Decision.RECORD_ONLY, attributes)

    def get_description(self) -> str:
        """How it is called."""
        return f"Share({self._ratio.rate})"


class ErrorsToo(SpanProcessor):
    """Hands sampled spans on, and others that ended in an error as if they were."""

    def __init__(self, after: SpanProcessor) -> None:
        self._after = after

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        context = span.get_span_context()
        if context is None:
            return
        if context.trace_flags & TraceFlags.SAMPLED:
            self._after.on_end(span)
        elif span.status.status_code is StatusCode.ERROR:
            self._after.on_end(_sampled(span, context))

    def shutdown(self) -> None:
        """Send what waits, and end."""
        self._after.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what waits."""
        return self._after.force_flush(timeout_millis)


def _sampled(span: ReadableSpan, context: SpanContext) -> ReadableSpan:
    links: Sequence[Any] = span.links
    return ReadableSpan(
        name=span.name,
        context=SpanContext(context.trace_id, context.span_id, False, TraceFlags(TraceFlags.SAMPLED)),
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        links=links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
