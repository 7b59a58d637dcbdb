"""How the server itself stands, for `$figures?of=system` and for `/metrics`: one computation, kept for a minute.

https://prometheus.io/docs/practices/instrumentation/
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from fhir_profiles.errors import FhirError
from server.access.caller import SYSTEM
from server.adjudication.opening import ledger_of
from server.audit import figures as audit
from server.audit.place import directory
from server.figures.metrics import METRICS, Gauge, gauges_of, plain
from server.figures.model import DAY, Figure, Period
from server.figures.system import Gauges, Release, Route, system
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs import figures as jobs
from server.jobs import intake
from server.learning import figures as learning
from server.observability import answered
from server.operations.figures_areas import AREAS
from server.operations.figures_found import Found
from server.streaming import counts as streaming

KEPT = 60.0
"""Seconds for which what is told at /metrics of the last day is taken for granted."""


class House:
    """What machines that watch the server are told."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self._lock = threading.Lock()
        self._until = 0.0
        self._day: list[Figure] = []

    def metrics(self) -> dict[str, Gauge]:
        """Gauges by name, for /metrics: how things stand, and the figures of the last 24 hours."""
        return {**plain(self._gauges()), **gauges_of([*self._standing({}), *self._last_day()])}

    def system(self) -> Iterator[Figure]:
        """The figures of the server itself."""
        depths = intake.depths(self._fhir.store)
        return self._standing({"fhirwright_jobs": ("", "stage", depths), **self._gauges()})

    def _gauges(self) -> Gauges:
        """What other parts tell of themselves: work that is done later, the audit, the language model."""
        store, settings = self._fhir.store, self._fhir.settings
        asked = {} if settings.adjudication == "off" else ledger_of(settings).figures()
        kept = audit.figures(store, directory(store, settings))
        return {**jobs.figures(store), **learning.figures(store), **streaming.figures(store), **kept, **asked}

    def _standing(self, gauges: Gauges) -> Iterator[Figure]:
        today = datetime.now(UTC).date()
        return system(self._releases(), _routes(), gauges, self._bytes(), today)

    def _last_day(self) -> list[Figure]:
        with self._lock:
            if time.monotonic() >= self._until:
                now = time.time()
                asked = Request(method="GET", base_url=self._fhir.settings.base_url or "", caller=SYSTEM)
                found = Found(self._fhir, asked)
                period = Period(now - DAY, now)
                self._day = [
                    msgspec.structs.replace(figure, made_of=())
                    for area in AREAS.values()
                    for figure in area(found, period, now)
                    if figure.name in METRICS
                ]
                self._until = time.monotonic() + KEPT
            return self._day

    def _releases(self) -> Iterator[Release]:
        from claims.tables.store import releases

        known = self._fhir.conformance.loaded.terminology()
        for system_ in known.systems if known else ():
            told = known.manifest(system_) if known else {}
            start = str(told.get("start") or "")
            day = None
            with suppress(ValueError):
                day = datetime.fromisoformat(start).date() if start else None
            yield Release(
                "terminology", str(told.get("title") or told.get("name")), str(told.get("version")), day,
                int(told.get("concepts") or 0),
            )  # fmt: skip
        with suppress(FhirError):
            for one in releases(self._fhir.settings.data):
                if not one.withdrawn:
                    yield Release("table", one.table, one.name, one.start, one.rows)

    def _bytes(self) -> int:
        """Bytes of the database, with its log."""
        store = self._fhir.store
        if store.dialect == "postgresql":
            [(size,)] = store.query("SELECT pg_database_size(current_database())")
            return int(size)
        path = Path(str(store.engine.url.database))
        files = (path.with_name(path.name + end) for end in ("", "-wal"))
        return sum(os.stat(file).st_size for file in files if file.exists())  # noqa: PTH116


def _routes() -> Iterator[Route]:
    for (route, status), times in sorted(answered().items()):
        yield Route(route, status, times)
