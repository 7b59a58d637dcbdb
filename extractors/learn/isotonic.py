"""A rising curve from raw to observed probability, by pool-adjacent-violators (https://doi.org/10.1145/1102351.1102430)."""

from __future__ import annotations

from typing import Any

import numpy as np

GROUP = 60  # predictions a point stands for, at least
LEAST, MOST = 0.002, 0.985


def isotonic(p: Any, y: Any, least: int = GROUP) -> list[list[float]]:
    """Points (raw, observed) of a rising curve through groups of at least `least` predictions."""
    order = np.argsort(p, kind="stable")
    groups = [
        [float(p[i].mean()), float(y[i].mean()), float(len(i))]
        for i in np.array_split(order, max(len(order) // least, 1))
    ]
    merged: list[list[float]] = []
    for group in groups:
        merged.append(group)
        while len(merged) > 1 and merged[-2][1] >= merged[-1][1]:
            b, a = merged.pop(), merged.pop()
            n = a[2] + b[2]
            merged.append([(a[0] * a[2] + b[0] * b[2]) / n, (a[1] * a[2] + b[1] * b[2]) / n, n])
    ends = [[float(p.min()), merged[0][1] / 2, 0.0], [float(p.max()), (merged[-1][1] + MOST) / 2, 0.0]]
    merged = [ends[0], *merged, ends[1]]  # beyond the middle of the outer groups the order is kept too
    return [[round(m[0], 5) for m in merged], [round(min(max(m[1], LEAST), MOST), 4) for m in merged]]
