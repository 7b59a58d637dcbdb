"""The metrics of Prometheus over OTLP: the same instruments, measured once.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import REGISTRY
from prometheus_client import Metric as Family
from prometheus_client.samples import Sample

from server.telemetry import lines

_CUMULATIVE = AggregationTemporality.CUMULATIVE
_LEAST_SECONDS, _SECONDS = 0.1, 60.0


class Bridge:
    """Reads the registry every `OTEL_METRIC_EXPORT_INTERVAL` milliseconds and once at the end, in a thread."""

    def __init__(self, resource: Resource, collect: Callable[[], Iterable[Family]]) -> None:
        self._resource, self._collect = resource, collect
        self._exporter = OTLPMetricExporter()
        self._began = time.time_ns()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send once more, and end."""
        self._over.set()
        self._thread.join()
        self._exporter.shutdown()

    def _run(self) -> None:
        seconds = max(_LEAST_SECONDS, float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", _SECONDS * 1000)) / 1000)
        over = False
        while not over:
            over = self._over.wait(seconds)
            try:
                self._exporter.export(self.read())
            except Exception as error:  # the figures of a database that is away
                lines.log.warning("telemetry.metrics-failed", error=type(error).__name__)

    def read(self) -> MetricsData:
        """All metrics as they stand."""
        now = time.time_ns()
        families = [*REGISTRY.collect(), *self._collect()]
        found = [one for family in families if (one := converted(family, self._began, now)) is not None]
        scope = ScopeMetrics(InstrumentationScope("fhirwright"), found, "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])


def converted(family: Family, began: int, now: int) -> Metric | None:
    """A metric of Prometheus as one of OTLP; None for what has no value or no counterpart."""
    points: list[Any]
    if family.type == "histogram":
        points = _histograms(family.samples, began, now)
        data: Any = Histogram(points, _CUMULATIVE)
    else:
        end = "_total" if family.type == "counter" else ""
        samples = [one for one in family.samples if one.name == family.name + end]
        points = [NumberDataPoint(dict(one.labels), began, now, one.value) for one in samples]
        data = Sum(points, _CUMULATIVE, True) if family.type == "counter" else Gauge(points)
        if family.type not in ("counter", "gauge"):
            return None
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return Metric(name, family.documentation, family.unit, data) if points else None


def _histograms(samples: Iterable[Sample], began: int, now: int) -> list[HistogramDataPoint]:
    """One point for each combination of labels, from the samples of its buckets, sum and count."""
    groups: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for one in samples:
        labels = tuple((key, value) for key, value in one.labels.items() if key != "le")
        groups.setdefault(labels, []).append(one)
    return [point for labels, some in groups.items() if (point := _point(dict(labels), some, began, now))]


def _point(labels: dict[str, str], samples: list[Sample], began: int, now: int) -> HistogramDataPoint | None:
    buckets = sorted(
        ((float(one.labels["le"]), one) for one in samples if one.name.endswith("_bucket")), key=lambda pair: pair[0]
    )
    total = next((one.value for one in samples if one.name.endswith("_sum")), 0.0)
    if not buckets:
        return None
    counts = [int(one.value) for _, one in buckets]
    each = [count - before for count, before in zip(counts, [0, *counts], strict=False)]
    bounds = [bound for bound, _ in buckets[:-1]]
    seen = [made for _, one in buckets if one.exemplar and (made := _exemplar(one.exemplar, now))]
    return HistogramDataPoint(labels, began, now, counts[-1], total, each, bounds, float("inf"), float("-inf"), seen)


def _exemplar(given: Any, now: int) -> Exemplar | None:
    trace_id, span_id = given.labels.get("trace_id"), given.labels.get("span_id")
    if not trace_id or not span_id:
        return None
    at = int(given.timestamp * 1e9) if given.timestamp else now
    return Exemplar({}, given.value, at, int(span_id, 16), int(trace_id, 16))
