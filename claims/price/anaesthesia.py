"""Anaesthesia: base units and time (Medicare Claims Processing Manual, chapter 12, section 50; 42 CFR 414.46)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claims.price import modifiers as mod
from claims.price.ask import Loaded, among
from claims.price.exact import Array
from claims.price.lines import ANAESTHESIA, Lines
from claims.price.modifiers import BITS
from claims.price.where import TWO_FACTORS, Where

SUPERVISED = 3
"""Base units of a physician who supervises more than four procedures at once (AD)."""
MAX_MINUTES = 10_000
_TIMELESS = ("01995", "01996")
"""Codes whose time does not count."""


@dataclass(frozen=True, slots=True)
class Anaesthesia:
    """Of each line, 0 for those that are not anaesthesia."""

    amount: Array  # in ten millionths of a cent
    base: Array  # units
    time: Array  # tenths of units
    factor: Array  # ten-thousandths of a dollar


def tenths(minutes: Array) -> Array:
    """Time units in tenths: a quarter of an hour is one, rounded to one place, half up."""
    return (4 * minutes + 3) // 6


def anaesthesia(lines: Lines, loaded: Loaded, at: Where) -> Anaesthesia:
    """What the lines that are anaesthesia cost."""
    count = len(lines.why)
    asked = lines.method == ANAESTHESIA
    nothing = np.zeros(count, np.int64)
    if not asked.any():
        return Anaesthesia(nothing, nothing, nothing, nothing)
    supervised = lines.has(BITS["AD"])
    base = nothing
    if "anaesthesia" not in loaded:
        lines.refuse(asked & ~supervised, "anaesthesia-not-loaded")
    else:
        base = loaded.numbers("anaesthesia", "units")[np.where(asked, lines.other, -1)]
        lines.refuse(asked & ~supervised & (base <= 0), "anaesthesia")
    several = mod.several(lines.marked, ("AA", "QZ", "AD", "QK", "QX", "QY"))
    lines.refuse(asked & (several | ~lines.has(mod.ANAESTHETISTS)), "anaesthetist")
    timeless = supervised | among(lines.codes, _TIMELESS)
    lines.refuse(asked & ~timeless & (lines.minutes < 0), "minutes")
    lines.refuse(asked & (lines.minutes > MAX_MINUTES), "units")
    base = np.where(supervised, SUPERVISED, base)
    time = np.where(timeless, 0, tenths(lines.minutes.clip(0, MAX_MINUTES)))
    if "anaesthesia_factor" not in loaded:
        lines.refuse(asked, "anaesthesia_factor-not-loaded")
        return Anaesthesia(nothing, nothing, nothing, nothing)
    rows = at.anaesthesia[at.place]
    plain, apm = (loaded.numbers("anaesthesia_factor", name)[rows] for name in ("value", "apm"))
    factor = np.where((at.kind == 1) & ((apm > 0) | (at.days >= TWO_FACTORS)), apm, plain)
    lines.refuse(asked & (factor <= 0), "anaesthesia_factor")
    factor, base, time = (np.where(asked, values, 0) for values in (factor, base, time))
    return Anaesthesia((10 * base + time) * factor * 10_000, base, time, factor)
