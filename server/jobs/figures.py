"""What the metrics tell of asynchronous work, as counted just now: name → (what it is, label → value)."""

from __future__ import annotations

from collections.abc import Mapping

from server.jobs import later
from server.store import Store

Figures = dict[str, tuple[str, str, Mapping[str, float]]]
_SUBSCRIPTIONS = "SELECT state, count(*), coalesce(sum(failures), 0), coalesce(sum(events - delivered), 0)"


def figures(store: Store) -> Figures:
    """Gauges by name: a description, the name of the label, a value for each label."""
    states = store.query(f"{_SUBSCRIPTIONS} FROM subscription WHERE channel = 'rest-hook' GROUP BY state")
    [(outbox,)] = store.query("SELECT count(*) FROM outbox")
    [(lines,)] = store.query("SELECT coalesce(sum(lines), 0) FROM later_chunk WHERE section = 'output'")
    requests: dict[str, int] = {}
    for (kind, state), count in later.counts(store).items():
        requests[f"{kind} {state}"] = count
    return {
        "fhirwright_outbox": ("Versions that wait to become events.", "", {"": int(outbox)}),
        "fhirwright_subscriptions": ("Subscriptions with an endpoint by state.", "state", {r[0]: r[1] for r in states}),
        "fhirwright_delivery_failures": (
            "Failures in a row, of all endpoints that fail now.",
            "state",
            {r[0]: int(r[2]) for r in states},
        ),
        "fhirwright_events_waiting": ("Events that wait to be told.", "state", {r[0]: int(r[3]) for r in states}),
        "fhirwright_later": ("Requests that are answered later, by kind and state.", "request", requests),
        "fhirwright_export_lines": ("Resources in the files of exports that are kept.", "", {"": int(lines)}),
    }
