"""Which of several services is paid in full, which in part (Medicare Claims Processing Manual, chapter 12, 40.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claims.price.exact import Array

PERCENT = np.array([100, 50, 25])
_PAID = 5
"""Later procedures are paid by report."""


def tops(groups: Array, amounts: Array) -> Array:
    """Whether each line is the dearest of its group; of equals the first."""
    order = np.lexsort((-amounts, groups))
    first = np.ones(len(order), bool)
    first[1:] = groups[order][1:] != groups[order][:-1]
    found = np.zeros(len(order), bool)
    found[order[first]] = True
    return found


@dataclass(frozen=True)
class Ranked:
    """Of each line: the place of its first unit (from 1), and how many units are paid at each of PERCENT."""

    rank: Array
    counts: Array
    beyond: Array  # some unit is the sixth or later


def ranked(groups: Array, amounts: Array, units: Array, first: Array) -> Ranked:
    """Rank by the amount of one unit, of equals the first line.

    `first` is indicator 1 (100, 50, 25, 25, 25), not 2 (100, 50, 50, 50, 50).
    """
    order = np.lexsort((-amounts, groups))
    sorted_groups, sorted_units = groups[order], units[order]
    before = np.cumsum(sorted_units) - sorted_units
    new = np.ones(len(order), bool)
    new[1:] = sorted_groups[1:] != sorted_groups[:-1]
    at = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0)) if len(order) else order
    start = np.zeros(len(order), np.int64)
    start[order] = before - before[at]
    end = start + units
    counts = np.stack([_within(start, end, low, high) for low, high in ((0, 1), (1, 2), (2, _PAID))])
    rest = np.where(first, 0, counts[2])
    counts = np.stack([counts[0], counts[1] + rest, counts[2] - rest])
    return Ranked(start + 1, counts, end > _PAID)


def _within(start: Array, end: Array, low: int, high: int) -> Array:
    """How many of the places from `start` to before `end` lie from `low` to before `high`."""
    found: Array = (np.minimum(end, high) - np.maximum(start, low)).clip(0)
    return found


@dataclass(frozen=True)
class Family:
    """Endoscopies of one base on one day: what one unit of each line adds, and their place in the ranking."""

    number: Array  # of the family of each line
    leader: Array  # its first unit is paid without taking the base off
    totals: Array  # of the families
    groups: Array  # of the families


def families(keys: Array, groups: Array, amounts: Array, bases: Array, units: Array) -> Family:
    """Families of lines by `keys`; the dearest in full, all others less the fee of the base."""
    distinct, at, number = np.unique(keys, return_index=True, return_inverse=True)
    leader = tops(keys, amounts)
    less = (amounts - bases).clip(0)
    totals = np.zeros(len(distinct), np.int64)
    np.add.at(totals, number, np.where(leader, amounts + less * (units - 1), less * units))
    return Family(number, leader, totals, groups[at])
