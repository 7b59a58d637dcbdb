"""How the server itself stands: releases in use, requests and faults by route, what waits, what is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from server.figures.model import Figure

Gauges = Mapping[str, tuple[str, str, Mapping[str, float]]]
PREFIX = "fhirwright_"


class Release(NamedTuple):
    """A release in use: of a code system or of a table of claims, and the day from which it holds."""

    kind: str
    name: str
    version: str
    start: date | None
    rows: int


class Route(NamedTuple):
    """How often a route was answered with a class of status (`2xx`) since the server started."""

    route: str
    status: str
    times: float


def system(
    releases: Iterable[Release], routes: Iterable[Route], gauges: Gauges, database: int, today: date
) -> Iterator[Figure]:
    """Figures of the server as it stands."""
    for one in releases:
        labels = (("kind", one.kind), ("name", one.name), ("version", one.version))
        age = None if one.start is None else (today - one.start).days
        yield Figure("release-age", age, "days", labels)
        yield Figure("release-rows", one.rows, "rows", labels)
    total, failed = 0.0, 0.0
    for route in routes:
        total += route.times
        failed += route.times if route.status == "5xx" else 0.0
        yield Figure("requests", route.times, "requests", (("route", route.route), ("status", route.status)))
    yield Figure("error-rate", round(failed / total, 6) if total else None, "share")
    yield Figure("database", database, "bytes")
    for name, (_, label, values) in gauges.items():
        for key, value in sorted(values.items()):
            yield Figure(name.removeprefix(PREFIX).replace("_", "-"), value, "", ((label, key),) if label else ())
