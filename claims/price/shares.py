"""Modifiers that pay a share of the fee (Medicare Claims Processing Manual, chapter 12, 20.4.3, 40.4, 40.8 and 50)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claims.price import modifiers as mod
from claims.price.exact import Array
from claims.price.lines import ANAESTHESIA, PHYSICIAN, Lines
from claims.price.modifiers import BITS
from claims.price.schedule import Schedule

ROLES = {"62": (5, 8), "80": (4, 25), "81": (4, 25), "82": (4, 25), "AS": (17, 125)}
"""62.5 %, 16 % and 85 % of 16 %."""
DIRECTED = (1, 2)
NOT_PARTICIPATING = (19, 20)
LIMIT = (437, 400)
"""115 % of 95 %: the most that a provider who does not take part may charge."""


@dataclass(frozen=True)
class Shares:
    """Of each line: the part of the care in hundredths, and the role in thousandths, of what the fee schedule gives."""

    care: Array
    role: Array

    def fraction(self, last: tuple[Array, Array]) -> tuple[Array, Array]:
        """(numerator, denominator) of all together with one more, in lowest terms."""
        over, under = self.care * self.role * last[0], last[1] * 100_000
        both = np.gcd(over, under)
        return over // both, under // both


def shares(lines: Lines, schedule: Schedule | None) -> Shares:
    """Find the shares, and refuse lines whose modifiers contradict, are paid by report, or do not apply to the code."""
    count = len(lines.why)
    care, role = np.full(count, 100), np.full(count, 1000)
    directed = (lines.method == ANAESTHESIA) & lines.has(mod.DIRECTION)
    role[directed] = 1000 * DIRECTED[0] // DIRECTED[1]
    asked = lines.method == PHYSICIAN
    if schedule is None or not asked.any():
        return Shares(care, role)
    rows = np.where(asked, lines.row, -1)
    for names in (("26", "TC", "53"), ("54", "55", "56", "78"), tuple(ROLES)):
        lines.refuse(asked & mod.several(lines.marked, names), "modifiers")
    lines.refuse(asked & lines.has(mod.BY_REPORT), "by-report")
    lines.refuse(asked & lines.has(mod.UNRECKONED), "unreckoned")
    pre, intra, post = schedule.shares[:, rows]
    undivided = pre + intra + post == 0
    wants = asked & lines.has(mod.SHARES)
    lines.refuse(wants & undivided & ~lines.has(BITS["78"]), "split")
    for name, value in (("54", pre + intra), ("55", post), ("56", pre), ("78", np.where(undivided, 100, intra))):
        care = np.where(wants & lines.has(BITS[name]), value, care)
    helps, both = asked & lines.has(mod.HELPERS), asked & lines.has(BITS["62"])
    lines.refuse(helps & ~np.isin(schedule.indicator("assistant")[rows], (0, 2)), "assistant")
    lines.refuse(both & ~np.isin(schedule.indicator("cosurgeon")[rows], (1, 2)), "co-surgeon")
    for name, (over, under) in ROLES.items():
        role[asked & lines.has(BITS[name])] = 1000 * over // under
    return Shares(care, role)
