"""A collector, and what sends to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from campaigns.planting.collector import Collector
from server.settings import Settings
from server.telemetry.start import Telemetry, start


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that takes everything."""
    one = Collector()
    yield one
    one.close()


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Telemetry]]:
    """`telling(url, settings)` starts sending; it is ended with the test."""
    started: list[Telemetry] = []

    def begin(url: str, settings: Settings) -> Telemetry:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        one = start(settings, "api")
        assert one is not None
        started.append(one)
        return one

    yield begin
    for one in started:
        one.stop()
