"""A look at drift: lately decided against the time before, kept for metrics and pages; an alarm is logged too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import structlog

from server.access.caller import SYSTEM
from server.figures.model import DAY, Period
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.kinds import Kind, Work
from server.learning import registry
from server.learning.alarms import tell_by_tasks
from server.learning.drift import Limits, Look, look
from server.operations.figures_areas import decided_within
from server.operations.figures_found import Found
from server.settings import Settings
from server.store import Tx
from server.store.texts import View

log = structlog.get_logger("fhirwright.learning")
LAST = "last"
BACK = 400.0
"""Days of the time before, at most."""


def limits_of(settings: Settings) -> Limits:
    """From what on something has moved, as the settings say."""
    return Limits(
        settings.learn_watch_documents,
        settings.learn_watch_divergence,
        settings.learn_watch_share,
        settings.learn_watch_error,
    )


def look_now(fhir: Fhir, now: float) -> Look:
    """Hold the last days against what the champion was made of, or against the days before where the package codes."""
    settings = fhir.settings
    recent = now - settings.learn_watch_days * DAY
    until = min(recent, _cutoff(fhir.store) or recent)
    found = Found(fhir, Request(method="GET", base_url=settings.base_url or "", caller=SYSTEM))
    lately = decided_within(found, Period(recent, now))
    before = decided_within(found, Period(until - BACK * DAY, until))
    return look(lately, before, limits_of(settings))


def keep(fhir: Fhir, tx: Tx, found: Look) -> None:
    """Keep what a look found, in place of the one before; open and complete the Tasks of its alarms."""
    before = last(tx)
    tell_by_tasks(fhir, tx, found, before[1] if before else None)
    row = (LAST, tx.now // 1000, msgspec.json.encode(found).decode())
    tx.execute(_KEEP, row)


def last(view: View) -> tuple[int, Look] | None:
    """When somebody looked last (milliseconds since 1970), and what was found."""
    rows = view.query("SELECT at, data FROM learn_watch WHERE id = ?", (LAST,))
    return (rows[0][0], msgspec.json.decode(rows[0][1], type=Look)) if rows else None


def tell(found: Look) -> None:
    """Log each alarm."""
    for one in found.alarms:
        log.warning("learning.alarm", of=one.of, moved=one.moved, chance=one.chance)


def _cutoff(view: View) -> float | None:
    """The last decision that the champion was made of."""
    name = registry.champion(view)
    told: dict[str, Any] = {} if name == registry.PACKAGE else registry.known(view, name).data
    at = told.get("card", {}).get("data", {}).get("cutoff")
    return datetime.fromisoformat(at).timestamp() if at else None


def _run(work: Work) -> int:
    def watched(tx: Tx, found: Look) -> int:
        keep(work.fhir, tx, found)
        tell(found)
        return len(found.alarms)

    (at,) = work.arguments
    return int(work.tx_step("watched", watched, lambda: look_now(work.fhir, float(at))))


_KEEP = (
    "INSERT INTO learn_watch (id, at, data) VALUES (?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET at = excluded.at, data = excluded.data"
)
KIND = Kind("learn-watch", _run)
