"""What becomes of claims: clean ones, edits and their money, filing limits, denials (docs/figures.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from server.figures.model import DAY, Figure, Labels, Period, binned, day_of, grouped, share
from server.figures.rows import Answered, Due, Scrubbed

DUE_EDGES = (0.0, 8.0, 31.0, 91.0)
DUE_BINS = ("overdue", "0–7 d", "8–30 d", "31–90 d", "over 90 d")
UNTOLD = "no limit known"
MOST_GROUPS = 50
"""Rules and reasons that are told one by one."""


def claims(
    scrubs: Sequence[Scrubbed], answers: Sequence[Answered], open_: Sequence[Due], period: Period, now: float
) -> Iterator[Figure]:
    """Figures of the claims that were scrubbed or answered within the period, and of those that wait now."""
    last = _latest(scrubs)
    clean = [one for one in last if not one.edits]
    yield Figure("claims-scrubbed", len(last), "claims", (), last)
    yield Figure("clean-claim-rate", _rounded(share(len(clean), len(last)), 4), "share", (), clean)
    by_day = grouped(last, lambda one: day_of(one.at))
    for day in period.days():
        some = by_day.get(day, [])
        good = sum(not one.edits for one in some)
        yield Figure("claims-by-day", len(some), "claims", (("day", day),), some)
        yield Figure("clean-by-day", _rounded(share(good, len(some)), 4), "share", (("day", day),), some)
    yield from _edits(last)
    yield from _money(last, answers)
    yield from _denials(answers)
    yield from _due(open_, now)


def _latest(scrubs: Sequence[Scrubbed]) -> list[Scrubbed]:
    """The last answer to each claim; a claim without an id counts by its answer."""
    found: dict[str, Scrubbed] = {}
    for one in sorted(scrubs, key=lambda one: one.at):
        found[one.claim or one.reference] = one
    return list(found.values())


def _edits(last: Sequence[Scrubbed]) -> Iterator[Figure]:
    found: dict[str, list[tuple[Scrubbed, float]]] = {}
    for one in last:
        for edit in one.edits:
            found.setdefault(edit.rule, []).append((one, edit.dollars))
    ordered = sorted(found.items(), key=lambda one: (-sum(money for _, money in one[1]), one[0]))
    for rule, some in ordered[:MOST_GROUPS]:
        rows = list({one.reference: one for one, _ in some}.values())
        labels: Labels = (("rule", rule),)
        yield Figure("edits", len(some), "findings", labels, rows)
        yield Figure("edit-dollars", round(sum(money for _, money in some), 2), "dollars", labels, rows)


def _money(last: Sequence[Scrubbed], answers: Sequence[Answered]) -> Iterator[Figure]:
    priced = [one for one in last if one.expected is not None]
    yield Figure("charged", round(sum(one.charged for one in priced), 2), "dollars", (), priced)
    yield Figure("expected", round(sum(one.expected or 0.0 for one in priced), 2), "dollars", (), priced)
    unpriced = [one for one in last if one.expected is None]
    yield Figure("not-priced", len(unpriced), "claims", (), unpriced)
    yield Figure("billed", round(sum(one.charged for one in answers), 2), "dollars", (), answers)
    yield Figure("paid", round(sum(one.paid for one in answers), 2), "dollars", (), answers)


def _denials(answers: Sequence[Answered]) -> Iterator[Figure]:
    """Denied claims, and the reasons (CARC) with what was not paid for them."""
    denied = [one for one in answers if one.denied]
    yield Figure("claims-answered", len(answers), "claims", (), answers)
    yield Figure("denial-rate", _rounded(share(len(denied), len(answers)), 4), "share", (), denied)
    found: dict[str, list[tuple[Answered, float]]] = {}
    for one in denied:
        for adjusted in one.adjusted:
            if adjusted.denied:
                key = f"{adjusted.group}-{adjusted.reason}" if adjusted.group else adjusted.reason
                found.setdefault(key, []).append((one, adjusted.dollars))
    ordered = sorted(found.items(), key=lambda one: (-sum(money for _, money in one[1]), one[0]))
    for reason, some in ordered[:MOST_GROUPS]:
        rows = list({one.reference: one for one, _ in some}.values())
        labels: Labels = (("reason", reason),)
        yield Figure("denials", len(some), "denials", labels, rows)
        yield Figure("denied-dollars", round(sum(money for _, money in some), 2), "dollars", labels, rows)


def _due(open_: Sequence[Due], now: float) -> Iterator[Figure]:
    """Claims that wait, by the days until the filing limit; the last day still counts."""
    today = now // DAY

    def bin_of(one: Due) -> str:
        return UNTOLD if one.due is None else DUE_BINS[binned(one.due // DAY - today, DUE_EDGES)]

    several = grouped(open_, bin_of)
    for name in (*DUE_BINS, UNTOLD):
        some = several.get(name, [])
        yield Figure("claims-due", len(some), "claims", (("due", name),), some)
    for state, some in sorted(grouped(open_, lambda one: one.state).items()):
        yield Figure("claims-waiting", len(some), "claims", (("work", state),), some)


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)
