"""The fee of one unit: RVUs by place, conversion factor, and the outpatient cap of technical parts (42 CFR 414.22).

Amounts here are unrounded, in ten millionths of a cent: hundredths of RVUs times thousandths times ten-thousandths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claims.price.ask import same
from claims.price.exact import Array
from claims.price.schedule import Schedule
from claims.tables.columns import Coded

SCALE = 10_000_000
IMAGING, THERAPY, HEART, EYE = 4, 5, 6, 7


@dataclass(frozen=True)
class Site:
    """Of each line: row of the schedule, setting (1 in a facility), indices in thousandths (3 × lines), factor."""

    rows: Array
    facility: Array
    indices: Array
    factor: Array

    def take(self, at: Array, rows: Array) -> Site:
        """Some of the lines with other rows."""
        return Site(rows, self.facility[at], self.indices[:, at], self.factor[at])


@dataclass(frozen=True)
class Fee:
    """Of each line: the fee, and of which parts it is made where that matters; `cap` is -1 where there is none."""

    one: Array  # one unit, capped
    uncapped: Array
    expense: Array  # its practice expense
    professional: Array
    technical: Array
    cap: Array
    is_professional: Array
    is_technical: Array
    is_split: Array  # both parts, from rows of their own
    lacks: Array  # a row of a part is missing

    @property
    def technical_capped(self) -> Array:
        """The technical part, at most the cap."""
        return capped(self.technical, self.cap)


def capped(amount: Array, cap: Array) -> Array:
    """The lower of the two where there is a cap."""
    return np.where(cap >= 0, np.minimum(amount, cap), amount)


def whole(schedule: Schedule, site: Site) -> Array:
    """The fee of a row."""
    work, expense, malpractice = site.indices
    total = schedule.work[site.rows] * work + schedule.expense[site.facility, site.rows] * expense
    amount: Array = (total + schedule.malpractice[site.rows] * malpractice) * site.factor
    return amount


def cap(schedule: Schedule, site: Site) -> Array:
    """The outpatient amount of a row; -1 where the columns for it are empty."""
    expense, malpractice = schedule.cap_expense[site.facility, site.rows], schedule.cap_malpractice[site.rows]
    amount = (expense * site.indices[1] + malpractice * site.indices[2]) * site.factor
    return np.where((expense > 0) | (malpractice > 0), amount, -1)


def fees(schedule: Schedule, codes: Coded, component: Array, days: Array, site: Site) -> Fee:
    """The fee of each line. A global service has parts where its technical part is capped or may be reduced."""
    kind = schedule.indicator("pctc")[site.rows]
    policy = schedule.indicator("multiple")[site.rows]
    plain = component == 0
    technical = (component == 2) | plain & (kind == 3)
    professional = (component == 1) | plain & (kind == 2)
    own = whole(schedule, site)
    tops = np.where(technical, cap(schedule, site), -1)
    tc = np.where(technical, own, 0)
    pc = np.where(professional, own, 0)
    split = plain & (kind == 1) & (site.rows >= 0)
    lacks = np.zeros(len(days), bool)
    at = np.flatnonzero(split)
    if len(at):
        reduced = (policy == HEART) | (policy == EYE) | (policy == IMAGING) & (schedule.imaging[site.rows] > 0)
        part = site.take(at, tech := _row(schedule, codes, days, at, "TC"))
        tc[at], tops[at] = whole(schedule, part), cap(schedule, part)
        split &= reduced | (tops >= 0)
        tech, at = tech[split[at]], at[split[at]]
        pro = _row(schedule, codes, days, at, "26")
        pc[at] = whole(schedule, site.take(at, pro))
        lacks[at] = ~(schedule.paid[pro] & schedule.paid[tech])
        tc[~technical & ~split] = 0
    one = np.where(technical, capped(tc, tops), own)
    one = np.where(split & (tops >= 0), pc + capped(tc, tops), one)
    expense = schedule.expense[site.facility, site.rows] * site.indices[1] * site.factor
    return Fee(one, own, expense, pc, tc, tops, professional, technical, split, lacks)


def _row(schedule: Schedule, codes: Coded, days: Array, at: Array, modifier: str) -> Array:
    return schedule.find(codes.at(at), same(modifier, len(at)), days[at])
