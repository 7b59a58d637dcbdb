"""Alarms: whether coders decide otherwise lately than before, told from chance by shuffling documents.

Jensen-Shannon divergence (https://doi.org/10.1109/18.61115), permutation tests with documents as units, and Holm's
correction over all tests of a look (https://www.jstor.org/stable/4615733): effect and chance must both be told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from server.figures.drift import stability
from server.figures.families import category, chapter
from server.figures.rows import Decided

SHUFFLES = 1999
SEED = 7
COMMON = 40
"""Groups of a distribution; the rest is one group."""
LEAST = 30
"""Decisions in a band of confidence, in both times together, before its share is held against another."""
BANDS = 5
Key = Callable[[Decided], str]


class Alarm(msgspec.Struct, frozen=True):
    """One thing that was watched: how far it moved, how likely by chance (corrected), and whether that is an alarm."""

    of: str
    moved: float
    chance: float
    alarm: bool
    before: float | None = None
    now: float | None = None
    stability: float | None = None
    """The population stability index, where a distribution was watched."""


class Limits(msgspec.Struct, frozen=True):
    """From what on something has moved."""

    documents: int = 50
    divergence: float = 0.02
    share: float = 0.08
    error: float = 0.01


class Look(msgspec.Struct, frozen=True):
    """What a look found; with too few documents in either time it says so and tells nothing."""

    now: int
    before: int
    enough: bool
    found: list[Alarm] = []

    @property
    def alarms(self) -> list[Alarm]:
        """What somebody should see to."""
        return [one for one in self.found if one.alarm]


_DISTRIBUTIONS: tuple[tuple[str, Key], ...] = (
    ("chapter", lambda one: chapter(one.system, one.code)),
    ("category", lambda one: category(one.system, one.code)),
    ("section", lambda one: one.section or "none"),
    ("proposer", lambda one: one.proposer),
    ("decision", lambda one: one.kind),
)


def look(now: Sequence[Decided], before: Sequence[Decided], limits: Limits) -> Look:
    """Hold the decisions of two times against each other."""
    rows = [*now, *before]
    names = {name: n for n, name in enumerate(dict.fromkeys(one.document or one.target for one in rows))}
    where = np.array([names[one.document or one.target] for one in rows], dtype=np.int64)
    recent = np.zeros(len(names), dtype=bool)
    recent[where[: len(now)]] = True
    counts = int(recent.sum()), int((~recent).sum())
    if min(counts) < limits.documents:
        return Look(*counts, enough=False)
    draws = _draws(recent)
    found: list[tuple[Alarm, float]] = []
    for name, key in _DISTRIBUTIONS:
        moved, chance = _shuffled(_divergences(_table([key(one) for one in rows], where, len(names)), draws))
        index = stability([key(one) for one in now], [key(one) for one in before])
        found.append((Alarm(name, moved, chance, alarm=False, stability=index), limits.divergence))
    found += [(one, limits.share) for one in _shares(rows, where, recent, draws)]
    adjusted = _holm([one.chance for one, _ in found])
    told = [
        msgspec.structs.replace(one, chance=p, alarm=one.moved >= least and p <= limits.error)
        for (one, least), p in zip(found, adjusted, strict=True)
    ]
    return Look(*counts, enough=True, found=told)


def _draws(recent: Any) -> Any:
    """Who is recent: as it is, then as chance would have it; a row each."""
    generator = np.random.default_rng(SEED)
    shuffled = [generator.permutation(recent) for _ in range(SHUFFLES)]
    return np.array([recent, *shuffled], dtype=float)


def _table(keys: Sequence[str], where: Any, documents: int) -> Any:
    """Documents × groups: how many decisions of each."""
    common = {key: n for n, (key, _) in enumerate(sorted(Counter(keys).most_common(COMMON)))}
    table = np.zeros((documents, len(common) + 1))
    np.add.at(table, (where, np.array([common.get(key, len(common)) for key in keys])), 1)
    return table


def _divergences(table: Any, draws: Any) -> Any:
    """The divergence in bits between recent and other documents of each draw."""
    p, q = draws @ table, (1 - draws) @ table
    p, q = p / np.maximum(p.sum(1, keepdims=True), 1), q / np.maximum(q.sum(1, keepdims=True), 1)
    m = (p + q) / 2
    return (_information(p, m) + _information(q, m)) / 2


def _information(p: Any, m: Any) -> Any:
    return np.where(p > 0, p * np.log2(np.where(p > 0, p, 1) / np.where(m > 0, m, 1)), 0).sum(1)


def _shuffled(values: Any) -> tuple[float, float]:
    """The value as it is, and the share of draws that are as great by chance."""
    as_great = float((values[1:] >= values[0] - 1e-12).sum())
    return round(float(values[0]), 4), (as_great + 1) / len(values)


def _shares(rows: Sequence[Decided], where: Any, recent: Any, draws: Any) -> list[Alarm]:
    """Share accepted over all and by band of confidence, and how far confidence is from it."""
    asked = np.array([one.kind != "add" for one in rows])
    taken = np.array([one.kind == "accept" for one in rows])
    sure = np.array([-1.0 if one.confidence is None else one.confidence for one in rows])
    band = np.where(sure < 0, -1, np.minimum((sure * BANDS).astype(int), BANDS - 1))
    size = len(recent)

    def by_document(mask: Any, weight: Any) -> Any:
        return np.bincount(where[mask], np.asarray(weight, dtype=float)[mask], size)

    found = []
    wholes = [("acceptance", asked)]
    wholes += [(f"acceptance at {n / BANDS:.1f}–{(n + 1) / BANDS:.1f}", asked & (band == n)) for n in range(BANDS)]
    for name, mask in wholes:
        if mask.sum() < LEAST:
            continue
        part, whole = by_document(mask, taken), by_document(mask, np.ones(len(rows)))
        now, before = (_ratio(side @ part, side @ whole) for side in (draws, 1 - draws))
        moved, chance = _shuffled(np.abs(now - before))
        found.append(Alarm(name, moved, chance, alarm=False, before=_rounded(before[0]), now=_rounded(now[0])))
    told = asked & (band >= 0)
    if told.sum() >= LEAST:
        gaps = np.stack([by_document(told & (band == n), np.maximum(sure, 0) - taken) for n in range(BANDS)], 1)
        whole = by_document(told, np.ones(len(rows)))
        now, before = (_ratio(np.abs(side @ gaps).sum(1), side @ whole) for side in (draws, 1 - draws))
        moved, chance = _shuffled(now - before)
        alarm = Alarm("calibration", moved, chance, alarm=False, before=_rounded(before[0]), now=_rounded(now[0]))
        found.append(alarm)
    return found


def _ratio(part: Any, whole: Any) -> Any:
    return part / np.maximum(whole, 1)


def _rounded(value: Any) -> float:
    return round(float(value), 4)


def _holm(chances: Sequence[float]) -> list[float]:
    """Each chance, corrected for there being several: never below that of a smaller one."""
    adjusted, most = [0.0] * len(chances), 0.0
    for rank, n in enumerate(sorted(range(len(chances)), key=lambda n: chances[n])):
        most = max(most, min(1.0, chances[n] * (len(chances) - rank)))
        adjusted[n] = round(most, 5)
    return adjusted
