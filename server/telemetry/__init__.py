"""Traces, metrics and logs over OTLP, without PHI and without cost when off (https://opentelemetry.io/docs/specs/otel/)."""
