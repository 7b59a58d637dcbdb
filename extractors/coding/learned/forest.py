"""A forest of small decision trees, answered for all candidates of a document at once (LightGBM's, exported).

Each inner node that a candidate fails takes the leaves of its left side out of a bit mask; the lowest bit left is the
leaf reached (QuickScorer, https://doi.org/10.1145/2766462.2767733). No loop over trees or candidates remains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

CHUNK = 256  # rows answered at once: a long document takes no more memory
LEAVES = 16  # the most that a tree may have: leaves are bits of 16
Floats = npt.NDArray[np.floating[Any]]
_LOWEST = np.zeros(1 << LEAVES, dtype=np.uint8)  # mask → number of its lowest bit
for _bit in reversed(range(LEAVES)):
    _LOWEST[1 << _bit :: 2 << _bit] = _bit


class Forest:
    """Sums of leaves; `trees` are `{"feature": [...], "threshold": [...], "mask": [...], "leaf": [...]}`."""

    def __init__(self, trees: Sequence[Mapping[str, Sequence[Any]]]) -> None:
        inner = max((len(t["feature"]) for t in trees), default=0)
        size = len(trees)
        feature = np.zeros((inner, size), dtype=np.intp)
        threshold = np.full((inner, size), np.inf, dtype=np.float32)
        mask = np.full((inner, size), 0xFFFF, dtype=np.uint16)
        leaf = np.zeros((size, LEAVES))
        for i, tree in enumerate(trees):
            n = len(tree["feature"])
            feature[:n, i] = tree["feature"]
            threshold[:n, i] = tree["threshold"]
            mask[:n, i] = tree["mask"]
            leaf[i, : len(tree["leaf"])] = tree["leaf"]
        self._shape = (inner, size)
        self._feature, self._threshold, self._mask = feature.ravel(), threshold.ravel(), mask.ravel()
        self._leaf = leaf.ravel()
        self._first = np.arange(size) * LEAVES

    def __call__(self, rows: Floats) -> Floats:
        """The raw score (a logit) of each row of features."""
        if len(rows) > CHUNK:
            return np.concatenate([self(rows[i : i + CHUNK]) for i in range(0, len(rows), CHUNK)])
        failed = rows.take(self._feature, axis=1) > self._threshold
        left = np.bitwise_and.reduce(
            np.where(failed, self._mask, np.uint16(0xFFFF)).reshape(len(rows), *self._shape), axis=1
        )
        place = _LOWEST[left]
        found: Floats = self._leaf.take(place + self._first).sum(axis=1)
        return found


def exported(tree: Mapping[str, Any], digits: int = 4) -> dict[str, list[Any]]:
    """One tree of LightGBM's `dump_model()["tree_info"][i]["tree_structure"]` in the form that `Forest` reads."""
    found: dict[str, list[Any]] = {"feature": [], "threshold": [], "mask": [], "leaf": []}

    def walk(node: Mapping[str, Any]) -> int:
        """Leaves are numbered from the left; gives the mask of those below the node."""
        if "leaf_value" in node and "left_child" not in node:
            found["leaf"].append(round(float(node["leaf_value"]), digits))
            return 1 << (len(found["leaf"]) - 1)
        number = len(found["feature"])
        found["feature"].append(int(node["split_feature"]))
        found["threshold"].append(float(node["threshold"]))
        found["mask"].append(0)
        left = walk(node["left_child"])
        right = walk(node["right_child"])
        found["mask"][number] = 0xFFFF & ~left
        return left | right

    walk(tree)
    if len(found["leaf"]) > LEAVES:
        raise ValueError(f"a tree has more than {LEAVES} leaves")
    return found
