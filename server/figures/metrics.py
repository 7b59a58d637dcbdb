"""Figures as gauges of Prometheus: which of them, under which names (https://prometheus.io/docs/practices/naming/)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from server.figures.model import Figure
from server.figures.system import PREFIX, Gauges

Gauge = tuple[str, tuple[str, ...], Mapping[tuple[str, ...], float]]
"""What it is, the names of its labels, and a value for each combination of them."""


class Told(NamedTuple):
    """What a figure's metric is of: its unit, the names of its labels, and what it says."""

    unit: str
    labels: tuple[str, ...]
    text: str


METRICS: Mapping[str, Told] = {
    "documents": Told(
        "documents", ("state",), "Documents of the last 24 hours by what became of them; those that wait or run."
    ),
    "documents-per-minute": Told(
        "documents per minute", (), "Documents coded in each minute of the last hour, on average."
    ),
    "ended-lately": Told(
        "documents",
        ("within",),
        "Documents that ended in the last five minutes: coded within so many seconds; `any`: all, also failed ones.",
    ),
    "stage-seconds": Told(
        "seconds", ("stage", "quantile"), "Seconds of coded documents of the last 24 hours in a stage, at a quantile."
    ),
    "queue": Told("documents", (), "Documents that wait for a worker or are being read."),
    "queue-age": Told("seconds", (), "Seconds that the oldest of them has waited."),
    "failures": Told(
        "documents", ("stage", "cause"), "Documents that failed in the last 24 hours, by stage and issue type."
    ),
    "reading-confidence": Told(
        "documents", ("bin",), "Scanned documents of the last 24 hours by mean confidence, in percent."
    ),
    "reading-confidence-mean": Told(
        "percent", (), "Mean of the confidence of scanned documents of the last 24 hours, in percent."
    ),
    "pages": Told("pages", (), "Pages of the documents of the last 24 hours."),
    "reviews": Told("documents", ("state",), "Documents in coders' hands by the state of their item of work."),
    "review-backlog": Told("documents", (), "Documents that wait for a coder."),
    "review-backlog-by-age": Told("documents", ("age",), "Documents that wait for a coder, by how long."),
    "decisions": Told("decisions", ("decision",), "Coders' decisions of the last 24 hours."),
    "acceptance": Told(
        "share", (), "Share of the suggestions decided in the last 24 hours that were accepted as they were."
    ),
    "decisions-by-chapter": Told(
        "decisions", ("chapter", "decision"), "Coders' decisions of the last 24 hours by chapter of the suggested code."
    ),
    "decisions-by-proposer": Told(
        "decisions", ("proposer", "decision"), "Coders' decisions of the last 24 hours by what had suggested the code."
    ),
    "population-stability": Told(
        "index", ("of",), "Population stability index of the last 24 hours against the 24 hours before."
    ),
    "calibration": Told("share", ("bin",), "Share accepted in the last 24 hours by confidence of the suggestion."),
    "calibration-error": Told("share", (), "Mean gap between confidence and share accepted, weighted by decisions."),
    "agreement": Told("share", (), "Agreement of two people about a suggestion or code in the last 24 hours."),
    "second-looks": Told("documents", (), "Second looks finished in the last 24 hours."),
    "unaided-documents": Told("documents", (), "Documents coded unaided and finished in the last 24 hours."),
    "unaided-agreement": Told(
        "share", (), "Share of their codes that both the machine and the coder have, of those of either."
    ),
    "unaided-dollars": Told("dollars", ("of",), "Money that fee schedules promise for them by each one's codes."),
    "claims-scrubbed": Told("claims", (), "Claims that our edits looked at in the last 24 hours."),
    "clean-claim-rate": Told("share", (), "Share of them without an error."),
    "edits": Told("findings", ("rule",), "Errors found in the claims of the last 24 hours, by rule."),
    "edit-dollars": Told("dollars", ("rule",), "Money of the lines and claims that those errors are about."),
    "charged": Told("dollars", (), "Money charged by the priced claims of the last 24 hours."),
    "expected": Told("dollars", (), "Money that fee schedules promise for them."),
    "not-priced": Told("claims", (), "Claims of the last 24 hours without a price."),
    "billed": Told("dollars", (), "Money charged by the claims that payers answered in the last 24 hours."),
    "paid": Told("dollars", (), "Money that payers paid for them."),
    "claims-answered": Told("claims", (), "Claims that payers answered in the last 24 hours."),
    "denial-rate": Told("share", (), "Share of them of which something was denied."),
    "denials": Told("denials", ("reason",), "Denials of the last 24 hours by group and reason (CARC)."),
    "denied-dollars": Told("dollars", ("reason",), "Money of those denials."),
    "claims-due": Told("claims", ("due",), "Claims that wait for somebody, by the days until the filing limit."),
    "claims-waiting": Told("claims", ("work",), "Claims that wait for somebody, by what is to be done."),
    "release-age": Told("days", ("kind", "name", "version"), "Days since a loaded release took effect."),
    "release-rows": Told("rows", ("kind", "name", "version"), "Concepts or rows of a loaded release."),
    "database": Told("bytes", (), "Size of the database."),
    "error-rate": Told("share", (), "Share of requests answered with an unexpected error since the server started."),
}  # fmt: skip
"""Figures that are about the server as a whole; by day, by minute and by person they are not told here."""
_BASE_UNITS = frozenset({"seconds", "dollars", "bytes", "days"})


def metric_of(name: str) -> str:
    """The name of a figure's metric."""
    unit = METRICS[name].unit
    end = f"_{unit}" if unit in _BASE_UNITS and not name.endswith(unit) else ""
    return f"{PREFIX}{name.replace('-', '_')}{end}"


def gauges_of(figures: Iterable[Figure]) -> dict[str, Gauge]:
    """Gauges by the names of their metrics; one that nothing was measured of has no value."""
    found: dict[str, Gauge] = {}
    values: dict[str, dict[tuple[str, ...], float]] = {}
    for one in figures:
        if one.name in METRICS and one.value is not None:
            values.setdefault(one.name, {})[tuple(value for _, value in one.labels)] = one.value
    for name, told in METRICS.items():
        found[metric_of(name)] = (told.text, told.labels, values.get(name, {}))
    return found


def plain(gauges: Gauges) -> dict[str, Gauge]:
    """Gauges with one label or none, as other parts of the server tell them."""
    return {
        name: (text, (label,) if label else (), {(key,) if label else (): value for key, value in values.items()})
        for name, (text, label, values) in gauges.items()
    }
