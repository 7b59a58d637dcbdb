"""The settings of what is told to a collector; a part of `server.settings` (https://opentelemetry.io/docs/specs/otlp/)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Telemetry(BaseModel):
    """What is sent over OTLP; where to is said by the standard variables OTEL_EXPORTER_OTLP_*."""

    # Telemetry over OTLP
    telemetry: tuple[Literal["traces", "metrics", "logs"], ...] = Field(
        (),
        description="What is sent over OTLP (http/protobuf) to where `OTEL_EXPORTER_OTLP_ENDPOINT` says; when empty, "
        "nothing is, and nothing of OpenTelemetry is loaded.",
    )
    trace_ratio: float = Field(
        1.0,
        description="Share of new traces that are sent whole; of the others only spans that ended in an error are.",
        ge=0,
        le=1,
    )
    trace_trust: bool = Field(
        False,
        description="Go on with the trace that a client names in `traceparent`; otherwise a new trace begins, with a "
        "link to that one. For servers behind a gateway that sets the header itself.",
    )
