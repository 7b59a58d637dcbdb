"""Health, readiness and metrics, for the machines that watch the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from server.figures.metrics import Gauge
from server.observability import counted

Check = Callable[[], Awaitable[None]]
Depths = Callable[[], Awaitable[dict[str, int]]]
Figures = Callable[[], Awaitable[Mapping[str, Gauge]]]


def health_router(
    checks: dict[str, Check], depths: Depths | None, *, metrics: bool, figures: Figures | None = None
) -> APIRouter:
    """Routes that answer without FHIR: `/healthz`, `/readyz` with one line per check, `/metrics`."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="The process answers.")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz", summary="The server can do its work: every check is ok.")
    async def readyz() -> JSONResponse:
        results = {name: await _try(check) for name, check in checks.items()}
        ready = all(result == "ok" for result in results.values())
        body = {"status": "ok" if ready else "unavailable", "checks": results}
        return JSONResponse(body, 200 if ready else 503)

    if metrics:

        @router.get("/metrics", summary="Prometheus metrics.", response_class=Response)
        async def show_metrics(accept: Annotated[str, Header()] = "") -> Response:
            jobs = await depths() if depths else {}
            more = await figures() if figures else {}
            text, content_type = _render(jobs, more, accept)
            return Response(text, media_type=content_type)

    return router


async def _try(check: Check) -> str:
    """`ok`, or the kind of error; its text may name hosts and users and stays out."""
    try:
        await check()
    except Exception as error:
        return f"failed: {type(error).__name__}"
    return "ok"


def _render(jobs: dict[str, int], figures: Mapping[str, Gauge], accept: str) -> tuple[bytes, str]:
    """All metrics, of all API processes when they share a directory, and the depth of the queue now; their media type.

    Who asks for OpenMetrics gets exemplars too (https://prometheus.io/docs/specs/om/open_metrics_spec/).
    """
    encode, content_type = choose_encoder(accept)
    text = encode(counted())
    now = CollectorRegistry()
    now.register(_Jobs(jobs))
    now.register(_Figures(figures))
    return text.removesuffix(b"# EOF\n") + encode(now), content_type


def counted_now(jobs: dict[str, int], figures: Mapping[str, Gauge]) -> Iterable[Metric]:
    """The metrics that are counted when they are asked for: the depth of the queue, and figures."""
    return [*_Jobs(jobs).collect(), *_Figures(figures).collect()]


class _Jobs(Collector):
    """Jobs by stage, as counted just now."""

    def __init__(self, jobs: dict[str, int]) -> None:
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        """One gauge with a sample per stage."""
        gauge = GaugeMetricFamily("fhirwright_jobs", "Documents by stage of their job.", labels=["stage"])
        for stage, count in sorted(self._jobs.items()):
            gauge.add_metric([stage], count)
        yield gauge


class _Figures(Collector):
    """Gauges as counted just now: by name their description, their labels and their values."""

    def __init__(self, figures: Mapping[str, Gauge]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """One gauge for each figure."""
        for name, (text, labels, values) in self._figures.items():
            gauge = GaugeMetricFamily(name, text, labels=labels)
            for key, value in sorted(values.items()):
                gauge.add_metric(key, value)
            yield gauge
