"""Several services of a physician on a day (Medicare Claims Processing Manual, chapter 5, 10.7; 12, 40.6; 13, 20)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claims.price.ask import same
from claims.price.exact import Array
from claims.price.fee import EYE, HEART, IMAGING, SCALE, THERAPY, Fee, Site, fees, whole
from claims.price.lines import PHYSICIAN, Lines
from claims.price.modifiers import BITS
from claims.price.ranks import PERCENT, families, ranked, tops
from claims.price.schedule import STATUSES, Schedule
from claims.price.where import Where

PARTS = 40
"""Amounts of tiers are in fortieths of the unit of fees, so that halves, quarters and fifths of them are whole."""
_TECHNICAL = np.full(10, 100)
_TECHNICAL[[IMAGING, HEART, EYE]] = 50, 75, 80
PROFESSIONAL = 95
THERAPY_EXPENSE = 50


@dataclass
class Tiers:
    """Of each line, in three tiers: how many units, what one costs in fortieths, and at which percentage it stands."""

    counts: Array
    amounts: Array
    percent: (
        Array  # of imaging the technical part, and in the third tier, which it has not, the reading of the first unit
    )
    rank: Array  # of the first unit, 0 where nothing is ranked
    base: Array  # fee of the base endoscopy that is taken off, 0 for none


@dataclass
class Physician:
    """What the physician fee schedule gives each line, before the shares that apply to a line as a whole."""

    fee: Fee
    sides: Array  # halves of the fee for which modifier 50 makes one unit count: 2, or 3
    tiers: Tiers


def physician(lines: Lines, schedule: Schedule, at: Where) -> Physician:
    """Price the lines of the schedule; the others stay at nought."""
    asked = lines.method == PHYSICIAN
    rows = np.where(asked, lines.row, -1)
    facility = np.where(at.facility > 0, 1, 0)
    fee = fees(schedule, lines.codes, lines.component, at.days, Site(rows, facility, at.indices, at.factor))
    lines.refuse(asked & fee.lacks, "parts")
    both = lines.has(BITS["50"])
    sided = schedule.indicator("bilateral")[rows]
    lines.refuse(asked & both & ~np.isin(sided, (0, 1, 2, 3)), "bilateral")
    lines.units = np.where(asked & both & (sided == 3), lines.units * 2, lines.units)
    sides = np.where(asked & both & (sided == 1), 3, 2)
    _limit(lines, fee, asked)
    _bundle(lines, schedule, rows)
    tiers = Tiers(
        np.stack([lines.units, *np.zeros((2, len(rows)), np.int64)]), np.zeros((3, len(rows)), np.int64),
        np.full((3, len(rows)), 100), np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64),
    )  # fmt: skip
    tiers.amounts[0] = fee.one * sides * (PARTS // 2)
    policy = np.where(lines.open(PHYSICIAN), schedule.indicator("multiple")[rows], 9)
    _surgery(lines, schedule, fee, sides, policy, at, tiers)
    _therapy(lines, fee, sides, policy, tiers)
    _imaging(lines, schedule, fee, sides, policy, tiers)
    return Physician(fee, sides, tiers)


MOST = 100_000_000
"""A line above a million dollars is not priced: sums over claims stay within 64 bits."""


def _limit(lines: Lines, fee: Fee, asked: Array) -> None:
    most = np.maximum(fee.one, np.maximum(fee.professional, fee.technical))
    lines.refuse(asked & (most // SCALE > MOST // lines.units), "units")


def _bundle(lines: Lines, schedule: Schedule, rows: Array) -> None:
    """Status T is paid only where nothing else of the schedule is paid on the day."""
    injection = schedule.status[rows] == STATUSES["T"]
    if injection.any():
        others = lines.groups[lines.open(PHYSICIAN) & ~injection] >> 1
        lines.refuse(injection & np.isin(lines.groups >> 1, others), "bundled")


def _surgery(lines: Lines, schedule: Schedule, fee: Fee, sides: Array, policy: Array, at: Where, tiers: Tiers) -> None:
    """Indicators 1, 2 and 3: bilateral before ranking, endoscopies of a family ranked as one."""
    _drop_bases(lines, schedule, policy)
    here = np.flatnonzero(np.isin(policy, (1, 2, 3)) & (lines.why == 0))
    if not len(here):
        return
    base = np.where(policy[here] == 3, schedule.base[lines.row[here]], -1)
    lines.refuse(_spread(here, base == -2, len(policy)), "endoscopy-base")
    here, base = here[base != -2], base[base != -2]
    scope = np.flatnonzero(base >= 0)
    amounts = (fee.one * sides)[here]
    off = np.zeros(len(here), np.int64)
    if len(scope):
        off[scope] = _base_fees(schedule, here[scope], base[scope], at) * 2
        missing = off < 0
        lines.refuse(_spread(here, missing, len(policy)), "endoscopy-base")
        keep = ~missing
        here, base, amounts, off = here[keep], base[keep], amounts[keep], off[keep]
        scope = np.flatnonzero(base >= 0)
    _rank(lines, here, base, scope, amounts, off, policy, tiers)


def _rank(
    lines: Lines, here: Array, base: Array, scope: Array, amounts: Array, off: Array, policy: Array, tiers: Tiers
) -> None:
    """Rank single services and families together, and set the tiers of their units."""
    single = np.flatnonzero(base < 0)
    groups, units = lines.groups[here], lines.units[here]
    day = np.unique(groups, return_inverse=True)[1]
    family = families(day[scope] * (1 << 24) + base[scope], groups[scope], amounts[scope], off[scope], units[scope])
    firsts = np.full(len(family.totals), len(here))
    np.minimum.at(firsts, family.number, scope)
    order = np.argsort(np.concatenate([single, firsts]), kind="stable")
    found = ranked(
        np.concatenate([groups[single], family.groups])[order],
        np.concatenate([amounts[single], family.totals])[order],
        np.concatenate([units[single], np.ones(len(family.totals), np.int64)])[order],
        np.concatenate([policy[here[single]] == 1, np.zeros(len(family.totals), bool)])[order],
    )
    back = np.argsort(order)
    rank, beyond, counts = found.rank[back], found.beyond[back], found.counts[:, back]
    many = len(single)
    lone = here[single]
    tiers.counts[:, lone], tiers.rank[lone] = counts[:, :many], rank[:many]
    for tier, percent in enumerate(PERCENT):
        tiers.percent[tier, lone] = percent
        tiers.amounts[tier, lone] = amounts[single] * (PARTS // 2) * percent // 100
    lines.refuse(_spread(lone, beyond[:many], len(policy)), "sixth")
    if not len(scope):
        return
    kin = here[scope]
    percent = (PERCENT @ counts[:, many:])[family.number]
    full = amounts[scope] * (PARTS // 2) * percent // 100
    less = (amounts[scope] - off[scope]).clip(0) * (PARTS // 2) * percent // 100
    tiers.counts[:2, kin] = family.leader, units[scope] - family.leader
    tiers.amounts[:2, kin], tiers.percent[:2, kin] = (full, less), percent
    tiers.rank[kin], tiers.base[kin] = rank[many:][family.number], off[scope] // 2
    lines.refuse(_spread(kin, beyond[many:][family.number], len(policy)), "sixth")


def _spread(here: Array, flags: Array, count: int) -> Array:
    """Flags of some lines as flags of all."""
    found = np.zeros(count, bool)
    found[here] = flags
    return found


def _drop_bases(lines: Lines, schedule: Schedule, policy: Array) -> None:
    """The base endoscopy is not paid on a day on which another of its family is."""
    members = np.flatnonzero(policy == 3)
    if not len(members):
        return
    base, code = schedule.base[lines.row[members]], schedule.code[lines.row[members]]
    kin = (base >= 0) & (base != code)
    days = lines.groups[members[kin]]
    keys = {*zip(days.tolist(), base[kin].tolist(), strict=True)}
    near = np.flatnonzero(lines.open(PHYSICIAN) & np.isin(lines.groups, days))
    codes = schedule.code[lines.row[near]]
    dropped = [key in keys for key in zip(lines.groups[near].tolist(), codes.tolist(), strict=True)]
    lines.refuse(_spread(near, np.array(dropped, bool), len(policy)), "endoscopy")


def _base_fees(schedule: Schedule, here: Array, base: Array, at: Where) -> Array:
    """The fee of the base in the place of each line; -1 where it has no row that is paid."""
    codes = schedule.codes.at(base)
    rows = schedule.find(codes, same("", len(here)), at.days[here])
    facility = np.where(at.facility[here] > 0, 1, 0)
    amount = whole(schedule, Site(rows, facility, at.indices[:, here], at.factor[here]))
    return np.where(schedule.paid[rows], amount, -1)


def _therapy(lines: Lines, fee: Fee, sides: Array, policy: Array, tiers: Tiers) -> None:
    """Indicator 5: the unit with the highest practice expense in full, half of it for all others."""
    here = np.flatnonzero((policy == THERAPY) & (lines.why == 0))
    if not len(here):
        return
    top = tops(lines.groups[here], fee.expense[here])
    half = (PARTS // 2) * fee.one[here] - (PARTS // 4) * fee.expense[here]
    _two(tiers, here, top, lines.units[here], fee.one[here] * (PARTS // 2), half)
    tiers.amounts[:2, here] *= sides[here]
    tiers.percent[1, here] = THERAPY_EXPENSE
    tiers.rank[here] = np.where(top, 1, 2)


def _two(tiers: Tiers, here: Array, top: Array, units: Array, first: Array, others: Array) -> None:
    """One unit of the top line in the first tier, all else in the second."""
    tiers.counts[:2, here] = top, units - top
    tiers.amounts[:2, here] = first, others


def _imaging(lines: Lines, schedule: Schedule, fee: Fee, sides: Array, policy: Array, tiers: Tiers) -> None:
    """Indicators 4 (of the imaging family), 6 and 7: technical parts after the first, and readings after the first."""
    scans = (policy == IMAGING) & (schedule.imaging[lines.row] > 0)
    asked = (scans | (policy == HEART) | (policy == EYE)) & (lines.why == 0)
    here = np.flatnonzero(asked & (fee.is_split | fee.is_technical | fee.is_professional & scans))
    if not len(here):
        return
    kind = policy[here]
    groups = lines.groups[here] * 8 + kind
    technical, professional = fee.technical[here], fee.professional[here]
    has_tc = fee.is_technical[here] | fee.is_split[here]
    has_pc = (fee.is_professional | fee.is_split)[here]
    first_tc = _tops(groups, fee.technical_capped[here], has_tc)
    first_pc = _tops(groups, professional, has_pc) | (kind != IMAGING)
    half, cap = PARTS // 2, fee.cap[here]
    amounts = []
    for full_tc, full_pc in ((first_tc, first_pc), (np.zeros_like(first_tc), kind != IMAGING)):
        percent_tc = np.where(full_tc, 100, _TECHNICAL[kind])
        tc = technical * half * percent_tc // 100
        tc = np.where(cap >= 0, np.minimum(tc, cap * half), tc)
        pc = professional * half * np.where(full_pc, 100, PROFESSIONAL) // 100
        plain = full_tc & full_pc | ~has_tc & full_pc | ~has_pc & full_tc
        amounts.append(np.where(plain, fee.one[here] * half, pc + tc))
    top = np.ones(len(here), np.int64)
    _two(tiers, here, top, lines.units[here], *amounts)
    tiers.amounts[:2, here] *= sides[here]
    tiers.percent[0, here] = np.where(has_tc & ~first_tc, _TECHNICAL[kind], 100)
    tiers.percent[1, here] = np.where(has_tc, _TECHNICAL[kind], 100)
    tiers.percent[2, here] = np.where(has_pc & ~first_pc, PROFESSIONAL, 100)
    tiers.rank[here] = np.where((first_tc | ~has_tc) & (first_pc | ~has_pc), 1, 2)


def _tops(groups: Array, amounts: Array, asked: Array) -> Array:
    found = np.zeros(len(groups), bool)
    found[asked] = tops(groups[asked], amounts[asked])
    return found
