"""How documents flow: throughput, seconds by stage, the queue, failures, reading, reviews (docs/figures.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from server.figures.model import DAY, Figure, Labels, Period, binned, day_of, grouped, mean, quantile
from server.figures.rows import Review, Work

STAGES = ("received", "pages", "findings", "codes", "emitted", "whole")
"""`received` is the wait for a worker, `whole` from the request to the results."""
CONFIDENCE_EDGES = (50.0, 60.0, 70.0, 80.0, 90.0, 95.0)
CONFIDENCE_BINS = ("under 50", "50–60", "60–70", "70–80", "80–90", "90–95", "95–100")
AGE_EDGES = (1.0, 4.0, 8.0, 24.0, 72.0)
AGE_BINS = ("under 1 h", "1–4 h", "4–8 h", "8–24 h", "1–3 d", "over 3 d")
OPEN = frozenset({"requested", "received", "accepted", "ready", "in-progress", "on-hold"})
MINUTES = 60
LATELY = 300.0
"""Seconds back from now of `ended-lately`."""
WITHIN = (30, 120, 300, 900)
STATES = ("coded", "failed", "cancelled", "waiting", "running")


def operations(works: Sequence[Work], reviews: Sequence[Review], period: Period, now: float) -> Iterator[Figure]:
    """Figures of documents that ended within the period, and of what waits now."""
    ended = [one for one in works if period.holds(one.ended)]
    waiting = [one for one in works if one.state in ("waiting", "running")]
    by_state = grouped([*ended, *waiting], lambda one: one.state)
    for state in STATES:
        yield _count("documents", "documents", by_state.get(state, []), ("state", state))
    coded = by_state.get("coded", [])
    yield from _throughput(coded, period, now)
    yield from _lately([one for one in ended if one.state in ("coded", "failed")], now)
    yield from _stages(coded)
    yield _count("queue", "documents", waiting)
    oldest = min(waiting, key=lambda one: one.asked or now, default=None)
    age = max(0.0, now - (oldest.asked or now)) if oldest else 0.0
    yield Figure("queue-age", round(age, 1), "seconds", (), [oldest] if oldest else [])
    yield from _failures(by_state.get("failed", []))
    yield from _reading(ended)
    yield from _reviews(reviews, period, now)


def _throughput(coded: Sequence[Work], period: Period, now: float) -> Iterator[Figure]:
    end = min(now, period.end)
    last = [one for one in coded if end - MINUTES * 60 <= (one.ended or 0) <= end]
    yield Figure("documents-per-minute", round(len(last) / MINUTES, 3), "documents per minute", (), last)
    by_day = grouped(coded, lambda one: day_of(one.ended or 0))
    for day in period.days():
        yield _count("documents-by-day", "documents", by_day.get(day, []), ("day", day))
    first = int(end // 60) - MINUTES + 1
    by_minute = grouped(last, lambda one: str(int((one.ended or 0) // 60)))
    for number in range(first, first + MINUTES):
        minute = datetime.fromtimestamp(number * 60, UTC).strftime("%Y-%m-%dT%H:%MZ")
        yield _count("documents-by-minute", "documents", by_minute.get(str(number), []), ("minute", minute))


def _lately(ended: Sequence[Work], now: float) -> Iterator[Figure]:
    """Few minutes, so that sums over them weigh each document alike: what a service level is held by."""
    last = [one for one in ended if now - LATELY <= (one.ended or 0) <= now]
    for most in WITHIN:
        soon = [one for one in last if one.state == "coded" and one.seconds.get("whole", most + 1) <= most]
        yield _count("ended-lately", "documents", soon, ("within", str(most)))
    yield _count("ended-lately", "documents", last, ("within", "any"))


def _stages(coded: Sequence[Work]) -> Iterator[Figure]:
    for stage in STAGES:
        some = [one for one in coded if stage in one.seconds]
        values = [one.seconds[stage] for one in some]
        for name, part in (("0.5", 0.5), ("0.95", 0.95)):
            labels = (("stage", stage), ("quantile", name))
            yield Figure("stage-seconds", _rounded(quantile(values, part), 3), "seconds", labels, some)


def _failures(failed: Sequence[Work]) -> Iterator[Figure]:
    several = grouped(failed, lambda one: f"{one.stage}\n{one.cause}")
    for key, some in sorted(several.items(), key=lambda one: (-len(one[1]), one[0])):
        stage, _, cause = key.partition("\n")
        yield _count("failures", "documents", some, ("stage", stage), ("cause", cause))


def _reading(ended: Sequence[Work]) -> Iterator[Figure]:
    """How sure the words of scanned documents are: those with a text layer have nothing to doubt, and do not count."""
    read = [(one, one.confidence) for one in ended if one.confidence is not None]
    yield Figure(
        "reading-confidence-mean", _rounded(mean([sure for _, sure in read]), 2), "percent", (),
        [one for one, _ in read],
    )  # fmt: skip
    several = grouped(read, lambda one: CONFIDENCE_BINS[binned(one[1], CONFIDENCE_EDGES)])
    for name in CONFIDENCE_BINS:
        yield _count("reading-confidence", "documents", [one for one, _ in several.get(name, [])], ("bin", name))
    pages = [one for one in ended if one.pages]
    yield Figure("pages", sum(one.pages for one in pages), "pages", (), pages)


def _reviews(reviews: Sequence[Review], period: Period, now: float) -> Iterator[Figure]:
    several: Mapping[str, list[Review]] = grouped(reviews, lambda one: one.state)
    for state, some in sorted(several.items()):
        kept = some if state in OPEN else [one for one in some if period.holds(one.ended)]
        yield _count("reviews", "documents", kept, ("state", state))
    left = [one for one in reviews if one.state in OPEN]
    yield _count("review-backlog", "documents", left)
    ages = grouped(left, lambda one: AGE_BINS[binned((now - (one.begun or now)) * 24 / DAY, AGE_EDGES)])
    for name in AGE_BINS:
        yield _count("review-backlog-by-age", "documents", ages.get(name, []), ("age", name))


def _count(name: str, unit: str, rows: Sequence[Work | Review], *labels: tuple[str, str]) -> Figure:
    told: Labels = tuple(labels)
    return Figure(name, len(rows), unit, told, rows)


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)
