"""Questions of everything that a claim has many of: of each row, over the rows of another collection of its claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from claims.expr.batch import Mask, Pairs, Rows, Whole
from claims.expr.parts import FEW, Part, every, tidy
from claims.tables.columns import Array, Numbers, Values, coded, renumbered

MOST = 400_000
"""So many pairs are looked at together."""


@dataclass(frozen=True)
class Conditions:
    """What must hold of a neighbour: of the row itself, of the neighbour itself, and of the two."""

    own: list[Part]
    other: list[Part]
    both: list[Part]
    same: list[tuple[Part, Part]]
    """Values of the row and of the neighbour that must be the same; they stand in `both` too."""


class Many(Part):
    """`any`, `all`, `count`, `total`, `most`, `least`; `value` is None where rows are counted."""

    def __init__(self, kind: str, collection: str, conditions: Conditions, value: Part | None) -> None:
        self.kind, self.collection, self.conditions, self.value = kind, collection, conditions, value
        self.cost = 40 if conditions.both else 12

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        """`any`, and `all`, which is that there is none against it; always known."""
        there = np.zeros(rows.count, np.bool_)
        for own, left in self._chosen(rows):
            if left is None:
                there = own > 0
            else:
                there[left.own] = True
        return tidy(there if (self.kind == "any") is wanted else ~there)

    def _values(self, rows: Rows) -> Values:
        if self.kind in ("any", "all"):
            return super()._values(rows)
        if self.value is None:
            counts = np.zeros(rows.count, np.int64)
            for own, left in self._chosen(rows):
                counts += own if left is None else np.bincount(left.own, minlength=rows.count)
            return Numbers(counts)
        places, arrays = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for _, left in self._chosen(rows):
            assert left is not None
            values = self.value.values(left)
            assert isinstance(values, Numbers)
            known = slice(None) if values.known is None else values.known
            places.append(left.own[known])
            arrays.append(values.array[known])
        return _summed(self.kind, np.concatenate(places), np.concatenate(arrays[1:] or arrays), rows.count)

    def _chosen(self, rows: Rows) -> Iterator[tuple[Array, Rows | None]]:
        """The pairs of which everything holds; or, where the two need not be compared, how many each row has."""
        asked, whole = self.conditions, rows.batch.whole(self.collection)
        others = every(asked.other, whole) if whole.count else False
        mine = others if others is False else every(asked.own, rows)
        if mine is False:
            return
        if not asked.both and self.value is None:
            claims = whole.claim if isinstance(others, bool) else whole.claim[others]
            yield np.bincount(claims, minlength=rows.batch.claims)[_claims(rows)] * mine, None
            return
        for pairs in self._pairs(rows, whole, mine, others):
            left = _narrowed(pairs, asked.both)
            if left is not None:
                yield left.own, left

    def _pairs(self, rows: Rows, whole: Whole, mine: Mask, others: Mask) -> Iterator[Rows]:
        """The pairs in which both may be meant, at most so many at a time."""
        sizes, starts = whole.sizes
        claims = _claims(rows)
        if isinstance(rows, Whole) and _most(mine) and int(sizes[claims].sum()) <= MOST:
            yield _shared(rows, whole, mine, others)
            return
        order = None
        if not isinstance(others, bool):
            order = np.flatnonzero(others)
            sizes = np.bincount(whole.claim[order], minlength=rows.batch.claims)
            starts = np.cumsum(sizes) - sizes
        chosen = np.arange(rows.count) if isinstance(mine, bool) else np.flatnonzero(mine)
        groups = claims[chosen]
        if self.conditions.same and int(sizes[groups].sum()) > MOST:
            order = np.arange(whole.count) if order is None else order
            chosen, groups, order, sizes = self._joined(rows, whole, chosen, order)
            starts = np.cumsum(sizes) - sizes
        ends = np.cumsum(sizes[groups])
        begin = 0
        while begin < len(chosen):
            before = int(ends[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, before + MOST, "right")))
            part = slice(begin, end)
            yield _beside(rows, whole, chosen[part], groups[part], (sizes, starts, order))
            begin = end

    def _joined(self, rows: Rows, whole: Whole, chosen: Array, order: Array) -> tuple[Array, Array, Array, Array]:
        """Rows and neighbours in groups of one claim in which all that must be the same is the same."""
        mine, theirs = _claims(rows)[chosen], whole.claim[order]
        known, also = np.ones(len(mine), np.bool_), np.ones(len(theirs), np.bool_)
        own_rows, their_rows, below = rows.pick(chosen), whole.pick(order), rows.batch.claims
        for one, other in self.conditions.same:
            left, right = coded(one.values(own_rows)), coded(other.values(their_rows))
            numbers = rows.batch.translated(right, left)[right.numbers]
            known, also = known & (left.numbers >= 0), also & (numbers >= 0)
            many = len(left.values) + 1
            keys = np.concatenate((mine * many + left.numbers % many, theirs * many + numbers % many))
            found, back = renumbered(keys, below * many)
            mine, theirs, below = back[: len(mine)].astype(np.int64), back[len(mine) :].astype(np.int64), len(found)
        chosen, mine, order, theirs = chosen[known], mine[known], order[also], theirs[also]
        return chosen, mine, order[np.argsort(theirs, kind="stable")], np.bincount(theirs, minlength=below)


def _claims(rows: Rows) -> Array:
    """The claim of each row."""
    whole, places = rows.at("")
    return whole.claim if places is None else whole.claim[places]


def _most(mask: Mask) -> bool:
    return isinstance(mask, bool) or np.count_nonzero(mask) * FEW >= len(mask)


def _shared(rows: Whole, whole: Whole, mine: Mask, others: Mask) -> Rows:
    """The pairs out of those of all rows, of which much may be known already."""
    key = ("pairs", whole.collection)
    pairs: Pairs | None = rows.found.get(key)
    if pairs is None:
        sizes, starts = whole.sizes
        pairs = rows.found[key] = _beside(rows, whole, np.arange(rows.count), rows.claim, (sizes, starts, None))
    mask: Mask = mine if isinstance(mine, bool) else mine[pairs.own]
    if not isinstance(others, bool):
        mask = others[pairs.places] & mask
    return pairs if isinstance(mask, bool) else pairs.pick(np.flatnonzero(mask))


def _beside(rows: Rows, whole: Whole, chosen: Array, groups: Array, laid: tuple[Array, Array, Array | None]) -> Pairs:
    """Chosen rows beside all of their group; groups have a size, a beginning, and may have an order."""
    sizes, starts, order = laid
    many = sizes[groups]
    own = np.repeat(chosen, many)
    places = np.arange(len(own)) + np.repeat(starts[groups] - (np.cumsum(many) - many), many)
    return Pairs(rows, whole, own, places if order is None else order[places])


def _narrowed(rows: Rows, parts: Sequence[Part]) -> Rows | None:
    """The rows of which all parts hold; None: there are none."""
    mask: Mask = True
    for part in parts:
        one = part.when(rows, True)
        if one is True:
            continue
        mask = one if mask is True else one & mask
        count = 0 if mask is False else np.count_nonzero(mask)
        if not count:
            return None
        if count * 4 < rows.count:
            rows, mask = rows.pick(np.flatnonzero(mask)), True
    return rows if mask is True else rows.pick(np.flatnonzero(mask))


def _summed(kind: str, places: Array, array: Array, count: int) -> Numbers:
    """Sums, or the highest or lowest, of numbers whose places are in order."""
    begins = np.flatnonzero(np.diff(places, prepend=-1))
    some = np.zeros(count, np.bool_)
    some[places] = True
    if kind == "total" and array.dtype.kind == "f":  # one after the other, as for one claim
        return Numbers(np.bincount(places, array, count))
    found = np.zeros(count, array.dtype)
    if len(places):
        how = np.add if kind == "total" else np.maximum if kind == "most" else np.minimum
        found[places[begins]] = how.reduceat(array, begins)
    return Numbers(found, None if kind == "total" else some)
