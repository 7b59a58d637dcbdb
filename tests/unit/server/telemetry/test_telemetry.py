"""What is told, and what it costs when nobody listens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from server.settings import Settings
from server.telemetry import spans, vocabulary
from server.telemetry.bridge import converted
from server.telemetry.sampling import ErrorsToo, Share
from server.telemetry.start import start
from server.telemetry.tracer import SdkTracing
from server.telemetry.watching import kind_and_table

ROOT = Path(__file__).parents[4]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"


def test_the_page_lists_every_span_and_attribute() -> None:
    """docs/observability.md holds the table as the code has it, and the code names no other span."""
    assert vocabulary.page() in (ROOT / "docs" / "observability.md").read_text()
    made = {
        name
        for path in (ROOT / "server").rglob("*.py")
        for name in re.findall(r"spans\.(?:span|past)\(\s*\"([^\"]+)\"", path.read_text())
    }
    assert made == set(vocabulary.SPANS)


def test_what_the_table_does_not_name_is_not_told() -> None:
    """Attributes without a place in the table are dropped, and values of another alphabet are not repeated."""
    given = {"http.route": "/fhir/{type}", "url.full": "http://x/Patient?name=Doe", "fhir.type": "Doe, John; 1970"}
    assert vocabulary.told("http.request", given) == {"http.route": "/fhir/{type}", "fhir.type": "other"}


def test_statements_are_told_by_kind_and_table() -> None:
    """No text of a statement, no parameter and no name that is not a table of ours."""
    assert kind_and_table("SELECT a FROM resource v WHERE id = ?") == ("SELECT", "resource")
    assert kind_and_table("INSERT INTO history (a) VALUES (?)") == ("INSERT", "history")
    assert kind_and_table("EXPLAIN SELECT 'Doe' FROM somebody") == ("other", "other")


def test_nothing_of_opentelemetry_is_imported_while_it_is_off() -> None:
    """Server and worker start without it, and a span is one shared object that does nothing."""
    code = (
        "import sys, server.app, server.jobs.worker; print(any(n.startswith('opentelemetry.sdk') for n in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "False"
    assert start(Settings(), "api") is None
    assert spans.span("stage") is spans.span("document") is spans.nothing() and not spans.current()


class Kept(SpanProcessor):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


@pytest.mark.parametrize(("ratio", "parent", "sent"), [(1.0, "", 2), (0.0, "", 1), (0.0, "01", 2), (1.0, "00", 1)])
def test_a_share_of_traces_is_sent_and_every_error(ratio: float, parent: str, sent: int) -> None:
    """The parent decides, else the ratio; a span that failed is sent in any case, without the text of its error."""
    kept, provider = Kept(), TracerProvider(sampler=Share(ratio), shutdown_on_exit=False)
    provider.add_span_processor(ErrorsToo(kept))
    tracing = SdkTracing(provider.get_tracer("test"))
    above = PARENT + parent if parent else ""
    with pytest.raises(ValueError), tracing.span("document", "internal", above, (), 0, {}):
        with tracing.span("stage", "internal", "", (), 0, {"fhirwright.stage": "pages"}):
            pass
        raise ValueError("Doe, John")
    assert len(kept.spans) == sent
    assert "Doe" not in "".join(span.to_json() for span in kept.spans)


def test_metrics_of_prometheus_are_those_of_otlp() -> None:
    """Counters, gauges and histograms keep names, labels, buckets and values; a bucket's exemplar names its trace."""
    registry = CollectorRegistry()
    Counter("c", "x", ["a"], registry=registry).labels("1").inc(3)
    Gauge("g", "x", registry=registry).set(7)
    seen = Histogram("h", "x", registry=registry, buckets=(1, 2))
    seen.observe(0.5)
    seen.observe(5, {"trace_id": PARENT.split("-")[1], "span_id": PARENT.split("-")[2]})
    found = {one.name: one.data.data_points[0] for f in registry.collect() if (one := converted(f, 1, 2)) is not None}
    assert (found["c_total"].value, found["g"].value) == (3, 7)
    point = found["h"]
    assert (point.count, point.sum, list(point.bucket_counts), list(point.explicit_bounds)) == (
        2,
        5.5,
        [1, 0, 1],
        [1, 2],
    )
    assert f"{point.exemplars[0].trace_id:032x}" == PARENT.split("-")[1]
