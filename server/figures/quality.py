"""What coders made of suggestions: by family and proposer, drift, calibration, throughput (docs/figures.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from server.figures.agreement import looked_again, unaided
from server.figures.drift import stability
from server.figures.families import category, chapter
from server.figures.model import Figure, Labels, Period, binned, day_of, grouped, mean, share
from server.figures.rows import KINDS, NOTHING_TWICE, Decided, Look, Review, Twice

BIN_EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BINS = ("0.0–0.1", "0.1–0.2", "0.2–0.3", "0.3–0.4", "0.4–0.5", "0.5–0.6", "0.6–0.7", "0.7–0.8", "0.8–0.9", "0.9–1.0")
MOST_GROUPS = 30
"""Families and proposers that are told one by one; the rest is `(others)`."""
OTHERS = "(others)"


def quality(
    stands: Sequence[Decided],
    stood: Sequence[Decided],
    looks: Sequence[Look],
    reviews: Sequence[Review],
    period: Period,
    twice: Twice = NOTHING_TWICE,
) -> Iterator[Figure]:
    """Figures of the decisions that count within a period, held against those of the one before."""
    for kind in KINDS:
        yield _count("decisions", [one for one in stands if one.kind == kind], ("decision", kind))
    yield Figure("decisions-before", len(stood), "decisions", (), stood)
    yield _accepted("acceptance", stands)
    yield _accepted("acceptance-before", stood)
    for name, label, family in _WAYS:
        yield from _by(name, label, family, stands)
    by_day = grouped(stands, lambda one: day_of(one.at))
    for day in period.days():
        by_kind = grouped(by_day.get(day, ()), _kind)
        for kind in KINDS:
            yield _count("decisions-by-day", by_kind.get(kind, []), ("day", day), ("decision", kind))
    for of, key in (("chapter", lambda one: chapter(one.system, one.code)), ("confidence", _bin)):
        value = stability([key(one) for one in stands], [key(one) for one in stood])
        yield Figure("population-stability", value, "index", (("of", of),), stands)
    yield from _calibration(stands)
    yield _error("calibration-error", stands)
    yield _error("calibration-error-before", stood)
    yield from _coders(stands, reviews, period)
    looks = [*looks, *looked_again(twice.looks)]
    agreed = share(sum(look.agreed for look in looks), len(looks))
    yield Figure("agreement", _rounded(agreed), "share", (), [one for look in looks for one in look.decisions])
    yield Figure("second-looks", len({one.reference for one in twice.looks}), "documents", (), twice.looks)
    yield from unaided(twice.unaided, twice.dollars)


def _accepted(name: str, decisions: Sequence[Decided]) -> Figure:
    """The share of suggestions that were accepted as they were; what coders added was never suggested."""
    suggested = [one for one in decisions if one.kind != "add"]
    value = share(sum(one.kind == "accept" for one in suggested), len(suggested))
    return Figure(name, _rounded(value), "share", (), suggested)


Key = Callable[[Decided], str]
_WAYS: tuple[tuple[str, str, Key], ...] = (
    ("decisions-by-chapter", "chapter", lambda one: chapter(one.system, one.code)),
    ("decisions-by-category", "category", lambda one: category(one.system, one.code)),
    ("decisions-by-proposer", "proposer", lambda one: one.proposer),
)


def _by(name: str, label: str, key: Key, decisions: Sequence[Decided]) -> Iterator[Figure]:
    several = sorted(grouped(decisions, key).items(), key=lambda one: (-len(one[1]), one[0]))
    told = several[:MOST_GROUPS]
    if rest := [one for _, some in several[MOST_GROUPS:] for one in some]:
        told.append((OTHERS, rest))
    for group, some in told:
        by_kind = grouped(some, _kind)
        for kind in KINDS:
            yield _count(name, by_kind.get(kind, []), (label, group), ("decision", kind))


def _kind(one: Decided) -> str:
    return one.kind


def _bin(one: Decided) -> str:
    return BINS[binned(one.confidence, BIN_EDGES)] if one.confidence is not None else "none"


def _calibration(decisions: Sequence[Decided]) -> Iterator[Figure]:
    """Bins of confidence with the share that was accepted."""
    told = [one for one in decisions if one.confidence is not None and one.kind != "add"]
    several = grouped(told, _bin)
    for name in BINS:
        some = several.get(name, [])
        said = mean([one.confidence for one in some if one.confidence is not None])
        accepted = share(sum(one.kind == "accept" for one in some), len(some))
        labels: Labels = (("bin", name),)
        yield Figure("calibration", _rounded(accepted), "share", labels, some)
        yield Figure("calibration-confidence", _rounded(said), "share", labels, some)
        yield Figure("calibration-decisions", len(some), "decisions", labels, some)


def _error(name: str, decisions: Sequence[Decided]) -> Figure:
    """The mean gap between confidence and share accepted over the bins, weighted by decisions."""
    told = [one for one in decisions if one.confidence is not None and one.kind != "add"]
    gap = 0.0
    for some in grouped(told, _bin).values():
        said = sum(one.confidence or 0.0 for one in some)
        gap += abs(sum(one.kind == "accept" for one in some) - said)
    return Figure(name, _rounded(gap / len(told) if told else None), "share", (), told)


def _coders(decisions: Sequence[Decided], reviews: Sequence[Review], period: Period) -> Iterator[Figure]:
    for who, some in sorted(grouped(decisions, lambda one: one.who).items()):
        yield _count("coder-decisions", some, ("coder", who))
    done = [one for one in reviews if one.state == "completed" and period.holds(one.ended) and one.owner]
    for who, several in sorted(grouped(done, lambda one: one.owner).items()):
        yield Figure("coder-documents", len(several), "documents", (("coder", who),), several)
        spent = [one.ended - one.begun for one in several if one.ended is not None and one.begun is not None]
        yield Figure("coder-seconds", _rounded(mean(spent)), "seconds per document", (("coder", who),), several)


def _count(name: str, rows: Sequence[Decided], *labels: tuple[str, str]) -> Figure:
    return Figure(name, len(rows), "decisions", tuple(labels), rows)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
