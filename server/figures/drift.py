"""How much a distribution has moved: the population stability index.

PSI = Σ (p − q) ln(p / q) over the groups; below 0.1 little has changed, above 0.25 much has
(https://scholarworks.wmich.edu/dissertations/3208/).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

LEAST = 30
"""Rows that both periods must have: of fewer the index tells chance."""
_HALF = 0.5
LITTLE, MUCH = 0.1, 0.25
"""Below the first nothing has changed to speak of; from the second on somebody should look."""


def stability(now: Sequence[str], before: Sequence[str]) -> float | None:
    """The index, 0 and more; None where either period has too few rows. Half a row is added to each group."""
    if len(now) < LEAST or len(before) < LEAST:
        return None
    here, there = Counter(now), Counter(before)
    groups = sorted({*here, *there})
    total = 0.0
    for group in groups:
        p = (here[group] + _HALF) / (len(now) + _HALF * len(groups))
        q = (there[group] + _HALF) / (len(before) + _HALF * len(groups))
        total += (p - q) * math.log(p / q)
    return round(total, 4)
