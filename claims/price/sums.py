"""Amounts and shares put together: the cents of each line, and the columns that say how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from claims.price.anaesthesia import Anaesthesia
from claims.price.ask import SMALL, whole
from claims.price.ask import Columns as Asked
from claims.price.exact import Array, share
from claims.price.fee import SCALE
from claims.price.lines import ANAESTHESIA, DRUG, LABORATORY, METHODS, PHYSICIAN, Lines
from claims.price.physician import PARTS, Physician
from claims.price.reasons import REASONS
from claims.price.schedule import COMPONENTS, Schedule
from claims.price.shares import LIMIT, NOT_PARTICIPATING, Shares
from claims.price.where import KINDS, Where
from claims.tables.columns import Coded

_NO_CHARGE = 2**62
_REASONS = Coded(tuple(REASONS), np.arange(len(REASONS)))
_KINDS = Coded(KINDS, np.array([*range(len(KINDS)), -1]))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers or flags, null where they are not known."""

    values: Array
    good: Array

    def series(self) -> pl.Series:
        """As a column."""
        kind = pl.Boolean if self.values.dtype == bool else pl.Int64
        if len(self.values) <= SMALL:
            return pl.Series(self.listed(), dtype=kind)
        series = pl.Series(self.values, dtype=kind)
        return series if self.good.all() else series.set(pl.Series(~self.good), None)

    def listed(self) -> list[Any]:
        """As they are."""
        both = zip(self.values.tolist(), self.good.tolist(), strict=True)
        return [value if known else None for value, known in both]


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts by number."""

    values: Coded

    def series(self) -> pl.Series:
        """As a column."""
        each = pl.Series([*self.values.values, None], dtype=pl.String)
        return each.gather(pl.Series(self.values.numbers % len(each)))

    def listed(self) -> list[Any]:
        """As they are."""
        return self.values.listed()


Columns = dict[str, Numbers | Texts]


@dataclass(frozen=True)
class Sums:
    """Puts the amounts of each line together."""

    asked: Asked
    schedule: Schedule | None
    lines: Lines
    at: Where
    shares: Shares
    asleep: Anaesthesia
    physician: Physician | None
    listed: Array

    def frame(self) -> pl.DataFrame:
        """A row for each line."""
        return pl.DataFrame({name: column.series() for name, column in self.columns().items()})

    def columns(self) -> Columns:
        """What is known of each line, by name."""
        lines = self.lines
        count = len(lines.why)
        by_rate = (lines.method == PHYSICIAN) | (lines.method == ANAESTHESIA)
        amounts, counts = self._tiers()
        outside = by_rate & ~self.at.participating
        one = np.ones(count, np.int64)
        last = np.where(outside, NOT_PARTICIPATING[0], one), np.where(outside, NOT_PARTICIPATING[1], one)
        units = self._cents(amounts, counts, last)
        allowed = (units * counts).sum(axis=0)
        limit = np.zeros(count, np.int64)
        if outside.any():
            most = self._cents(amounts, counts, (one * LIMIT[0], one * LIMIT[1]))
            limit = (most * counts).sum(axis=0)
        listed = (lines.method == DRUG) | (lines.method == LABORATORY)
        allowed = np.where(listed, (self.listed * lines.units + 5) // 10, allowed)
        units[0] = np.where(listed, (self.listed + 5) // 10, units[0])
        counts[0] = np.where(listed, lines.units, counts[0])
        good = lines.why == 0
        charge = whole(self.asked("lines", "charge"), _NO_CHARGE)
        found: Columns = {
            "allowed": Numbers(allowed, good),
            "unit": Numbers(np.where(counts[0] > 0, units[0], np.where(counts[1] > 0, units[1], units[2])), good),
            "fee": Numbers(self._fee(listed), good),
            "payable": Numbers(np.minimum(allowed, charge), good),
            "limit": Numbers(limit, good & outside),
            "why": Texts(_REASONS.at(lines.why)),
            "method": Texts(METHODS.at(lines.method)),
            "units": Numbers(lines.units, good),
        }
        return found | self._how(good, units, counts, by_rate, outside)

    def _tiers(self) -> tuple[Array, Array]:
        """(amounts, counts) in three tiers."""
        count = len(self.lines.why)
        amounts, counts = np.zeros((3, count), np.int64), np.zeros((3, count), np.int64)
        if self.physician is not None:
            amounts, counts = self.physician.tiers.amounts, self.physician.tiers.counts
        asleep = self.lines.method == ANAESTHESIA
        amounts[0] = np.where(asleep, self.asleep.amount * PARTS, amounts[0])
        counts[0] = np.where(asleep, 1, counts[0])
        good = self.lines.why == 0
        return np.where(good, amounts, 0), np.where(good, counts, 0)

    def _cents(self, amounts: Array, counts: Array, last: tuple[Array, Array]) -> Array:
        """The cents of one unit in each tier: the one place where amounts are rounded."""
        over, under = self.shares.fraction(last)
        found = np.zeros_like(amounts)
        for tier in range(3):
            here = np.flatnonzero(counts[tier]) if tier else np.arange(len(over))
            if len(here):
                found[tier, here] = share(amounts[tier, here], over[here], under[here] * (SCALE * PARTS))
        return found

    def _fee(self, listed: Array) -> Array:
        """The published amount of one unit, before modifiers and reductions."""
        count = len(listed)
        one = self.asleep.amount if self.physician is None else self.asleep.amount + self.physician.fee.one
        one = np.where(self.lines.why == 0, one, 0)
        cents = share(one, np.ones(count, np.int64), np.full(count, SCALE))
        return np.where(listed, (self.listed + 5) // 10, cents)

    def _how(self, good: Array, units: Array, counts: Array, by_rate: Array, outside: Array) -> Columns:
        """The columns that say how a price came about."""
        lines, at = self.lines, self.at
        rated, doctor, asleep = good & by_rate, lines.open(PHYSICIAN), lines.open(ANAESTHESIA)
        place = np.where(rated & (at.place >= 0), at.place, len(at.carriers.numbers) - 1)
        found: Columns = {
            "facility": Numbers(at.facility > 0, doctor),
            "carrier": Texts(at.carriers.at(place)),
            "locality": Texts(at.localities.at(place)),
            "gpci_work": Numbers(at.indices[0], doctor),
            "gpci_pe": Numbers(at.indices[1], doctor),
            "gpci_mp": Numbers(at.indices[2], doctor),
            "factor": Numbers(np.where(asleep, self.asleep.factor, at.factor), rated),
            "factor_kind": Texts(_KINDS.at(np.where(rated, at.kind, len(KINDS)))),
            "component": Texts(COMPONENTS.at(np.where(doctor, lines.component, len(COMPONENTS.values)))),
            "care": Numbers(self.shares.care, doctor),
            "role": Numbers(self.shares.role, rated),
            "participating": Numbers(~outside, rated),
            "assumed": Numbers(at.assumed, rated),
            "base_units": Numbers(self.asleep.base, asleep),
            "time_tenths": Numbers(self.asleep.time, asleep),
        }
        return found | self._reductions(doctor, units, counts)

    def _reductions(self, doctor: Array, units: Array, counts: Array) -> Columns:
        """RVUs and the tiers of units."""
        done, schedule = self.physician, self.schedule
        count = len(doctor)
        rows = np.where(doctor, self.lines.row, -1)
        tiers = None if done is None else done.tiers
        zero = np.zeros(count, np.int64)
        setting = np.where(self.at.facility > 0, 1, 0)
        found: Columns = {}
        for name, values in (
            ("work", zero if schedule is None else schedule.work[rows]),
            ("pe", zero if schedule is None else schedule.expense[setting, rows]),
            ("mp", zero if schedule is None else schedule.malpractice[rows]),
            ("rare", zero > 0 if schedule is None else schedule.rare[setting, rows] > 0),
            ("multiple", zero if schedule is None else schedule.indicator("multiple")[rows]),
            ("capped", zero > 0 if done is None else done.fee.one < done.fee.uncapped),
            ("bilateral", zero if done is None else done.sides * 50),
            ("rank", zero if tiers is None else tiers.rank),
            ("endoscopy_base", zero if tiers is None else (tiers.base + SCALE // 2) // SCALE),
        ):
            found[name] = Numbers(values, doctor)
        for tier in range(3):
            found[f"count_{tier + 1}"] = Numbers(counts[tier], self.lines.why == 0)
            found[f"unit_{tier + 1}"] = Numbers(units[tier], (self.lines.why == 0) & (counts[tier] > 0))
            found[f"percent_{tier + 1}"] = Numbers(zero if tiers is None else tiers.percent[tier], doctor)
        return found
