"""What metrics tell of learning: alarms, how far things moved, versions, runs (docs/learning.md).

https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from server.learning import registry
from server.learning.drift import Look
from server.store import Store

Figures = dict[str, tuple[str, str, Mapping[str, float]]]


def figures(store: Store) -> Figures:
    """Gauges by name: a description, the name of the label, a value for each label."""
    rows = store.query("SELECT data FROM learn_watch WHERE id = 'last'")
    found = msgspec.json.decode(rows[0][0], type=Look).found if rows else []
    versions = dict(store.query("SELECT state, count(*) FROM learn_version GROUP BY state"))
    challenger = registry.challenger(store)
    coded = registry.shadow(store, challenger.id).get("documents", 0) if challenger else 0
    return {
        "fhirwright_learning_alarm": (
            "1 where decisions moved farther than the settings allow and than chance does, by what was watched.",
            "of",
            {one.of: float(one.alarm) for one in found},
        ),
        "fhirwright_learning_moved": (
            "How far decisions moved at the last look: divergence in bits, or a difference of shares.",
            "of",
            {one.of: one.moved for one in found},
        ),
        "fhirwright_learning_versions": ("Versions of the model by state.", "state", versions),
        "fhirwright_learning_champion": ("The version that codes.", "version", {registry.champion(store): 1.0}),
        "fhirwright_learning_shadowed": ("Documents that the challenger coded in the shadow.", "", {"": float(coded)}),
    }
