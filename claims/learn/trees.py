"""Boosted trees as plain numbers: their sum, and what each feature adds to it (https://arxiv.org/abs/1802.03888).

A contribution is the Shapley value of a feature where what is not known is averaged over the claims that the trees were
fitted on. It is exact: base and contributions add up to what the trees say.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from math import factorial, inf, isfinite

import msgspec
import numpy as np
from numpy.typing import NDArray

from fhir_profiles.errors import Category, FhirError

Numbers = NDArray[np.float64]
DEPTH = 4
"""Most questions from the root to a leaf."""
MOST_TREES = 1_000
MOST_NODES = 2 ** (DEPTH + 1)
_BLOCK = 512


class Tree(msgspec.Struct, frozen=True):
    """Nodes in parallel lists, the root first; `feature` is -1 at a leaf. Values up to the threshold go left."""

    feature: list[int]
    threshold: list[float]
    missing_left: list[bool]
    left: list[int]
    right: list[int]
    value: list[float]
    count: list[float]


class Path(msgspec.Struct):
    """The way to a leaf: for each feature the range that leads there, and the share of claims that goes that way."""

    value: float
    asked: dict[int, tuple[float, float, bool, float]]


class Forest(msgspec.Struct, frozen=True, dict=True):
    """Trees whose leaves add up, with what they start from."""

    start: float
    trees: list[Tree]

    def check(self, features: int) -> None:
        """FhirError unless every tree is one, over so many features."""
        if len(self.trees) > MOST_TREES or not isfinite(self.start) or not all(_sound(t, features) for t in self.trees):
            raise FhirError.of(Category.INCORRECT, "structure", "The trees of the model are damaged")

    @cached_property
    def base(self) -> float:
        """What the trees say of a claim of which nothing is known: the mean of those that they were fitted on."""
        paths = (path for tree in self.trees for path in _paths(tree))
        return self.start + sum(p.value * float(np.prod([share for *_, share in p.asked.values()])) for p in paths)

    @cached_property
    def _leaves(self) -> tuple[NDArray[np.int64], Numbers, Numbers, NDArray[np.bool_], Numbers]:
        """For each leaf and place of its path: feature, range, whether unknown values pass; and the contributions.

        The contributions of a leaf depend only on which of its questions a claim passes: at most 16 cases.
        """
        paths = [path for tree in self.trees for path in _paths(tree)]
        feature = np.zeros((len(paths), DEPTH), np.int64)
        low, high = np.full(feature.shape, -inf), np.full(feature.shape, inf)
        missing = np.ones(feature.shape, np.bool_)
        shares = np.ones(feature.shape)
        for number, path in enumerate(paths):
            for place, (name, (bottom, top, unknown, share)) in enumerate(path.asked.items()):
                feature[number, place], low[number, place], high[number, place] = name, bottom, top
                missing[number, place], shares[number, place] = unknown, share
        cases = np.array([path.value for path in paths])[:, None, None] * _shapley(shares)
        return feature, low, high, missing, cases

    def contributions(self, rows: Numbers) -> Numbers:
        """What each feature adds to the base, in log-odds, for each row; the same whatever rows stand beside it."""
        found = np.zeros(rows.shape)
        for begin in range(0, len(rows), _BLOCK):
            found[begin : begin + _BLOCK] = self._block(rows[begin : begin + _BLOCK])
        return found

    def _block(self, rows: Numbers) -> Numbers:
        feature, low, high, missing, cases = self._leaves
        values = rows[:, feature]
        passed = ((values > low) & (values <= high)) | (np.isnan(values) & missing)
        case = passed @ (1 << np.arange(DEPTH))
        added = cases[np.arange(len(cases)), case]
        width = rows.shape[1]
        slots = feature + width * np.arange(len(rows))[:, None, None]
        summed = np.bincount(slots.ravel(), added.ravel(), minlength=width * len(rows))
        return np.asarray(summed, np.float64).reshape(rows.shape)

    def plain(self, rows: Numbers) -> Numbers:
        """What the trees say, by going down each of them: slow and obvious."""
        return np.array([self.start + sum(_down(tree, row) for tree in self.trees) for row in rows])


def _down(tree: Tree, row: Numbers) -> float:
    node = 0
    while tree.feature[node] >= 0:
        value = row[tree.feature[node]]
        left = tree.missing_left[node] if np.isnan(value) else value <= tree.threshold[node]
        node = tree.left[node] if left else tree.right[node]
    return tree.value[node]


def _sound(tree: Tree, features: int) -> bool:
    size = len(tree.feature)
    lists: tuple[Sequence[object], ...] = (
        tree.threshold, tree.missing_left, tree.left, tree.right, tree.value, tree.count
    )  # fmt: skip
    if not 0 < size <= MOST_NODES or any(len(one) != size for one in lists):
        return False
    if not all(map(isfinite, (*tree.threshold, *tree.value, *tree.count))) or min(tree.count) <= 0:
        return False
    depth, parents = {0: 0}, [n for n in range(size) if tree.feature[n] >= 0]
    for node in parents:  # children stand after their parent, and have one
        for child in (tree.left[node], tree.right[node]):
            if not node < child < size or child in depth or node not in depth:
                return False
            depth[child] = depth[node] + 1
    return len(depth) == size and max(depth.values()) <= DEPTH and all(-1 <= f < features for f in tree.feature)


def _paths(tree: Tree) -> list[Path]:
    """The ways to the leaves."""
    found, waiting = [], [(0, Path(0.0, {}))]
    while waiting:
        node, path = waiting.pop()
        name = tree.feature[node]
        if name < 0:
            found.append(Path(tree.value[node], path.asked))
            continue
        low, high, unknown, share = path.asked.get(name, (-inf, inf, True, 1.0))
        cut, to_left = tree.threshold[node], tree.missing_left[node]
        sides = ((tree.left[node], low, min(high, cut), to_left), (tree.right[node], max(low, cut), high, not to_left))
        for child, bottom, top, passes in sides:
            part = share * tree.count[child] / tree.count[node]
            waiting.append((child, Path(0.0, {**path.asked, name: (bottom, top, unknown and passes, part)})))
    return found


def _shapley(shares: Numbers) -> Numbers:
    """For each leaf and case of passed questions, the Shapley value of each in a game worth 1 when all are passed.

    A question that is not known counts as its share.
    """
    leaves, size = shares.shape
    found = np.zeros((leaves, 2**size, size))
    for case, one, known in product(range(2**size), range(size), product((False, True), repeat=size)):
        if known[one]:
            continue
        weight = factorial(sum(known)) * factorial(size - sum(known) - 1) / factorial(size)
        worth = ((case >> one) & 1) - shares[:, one]
        for other in range(size):
            if other != one:
                worth = worth * ((case >> other) & 1 if known[other] else shares[:, other])
        found[:, case, one] += weight * worth
    return found
