"""Number the concepts of a hierarchy so that "lies below" is a comparison, also with several parents for one concept.

The tree of first parents is numbered in pre-order, so that everything below a concept in it is one interval. What lies
below it by further parents adds intervals (Agrawal, Borgida, Jagadish 1989, https://doi.org/10.1145/67544.66950).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LOW = (1 << 32) - 1
MOST_INTERVALS = 20_000_000
"""Intervals of an edition, 8 bytes each; terminologies have a hundredth of it."""

SHOWN = 5
"""Codes that an error names."""


class Broken(Exception):
    """The hierarchy cannot be one; the message names the codes."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Places are positions in the source, ids are pre-order numbers from 1; both arrays of ids are by place."""

    order: array[int]  # the place of id 1, 2, …
    ids: array[int]
    last: array[int]  # the last id below it in the tree
    first: array[int]  # the place of the first parent, -1 for a root
    further: dict[int, tuple[int, ...]]  # place → the places of its further parents

    def spans(self) -> Iterator[tuple[int, bytes]]:
        """(place, intervals) of the concepts below which lies more than one interval, as `layout` has them."""
        return _spans(self) if self.further else iter(())


def arrange(codes: Sequence[str], parents: Sequence[tuple[str, ...]], *, sensitive: bool = True) -> Hierarchy:
    """Number the concepts; children of one parent keep their order. Broken where a parent is unknown or circular."""
    keys: Sequence[str] = codes if sensitive else [code.casefold() for code in codes]
    places = {key: place for place, key in enumerate(keys)}
    if len(places) != len(keys):
        seen: set[str] = set()
        twice = [c for c, key in zip(codes, keys, strict=True) if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
        raise Broken(f"{len(twice)} codes stand twice: {_some(twice)}")
    first = array("i", [-1]) * len(codes)
    further: dict[int, tuple[int, ...]] = {}
    unknown: dict[str, None] = {}
    for place, above in enumerate(parents):
        if not above:
            continue
        found = [places.get(code if sensitive else code.casefold(), -1) for code in above]
        if -1 in found:
            unknown.update((code, None) for code, at in zip(above, found, strict=True) if at < 0)
            continue
        first[place] = found[0]
        if len(found) > 1 and (rest := tuple(dict.fromkeys(p for p in found[1:] if p != found[0]))):
            further[place] = rest
    if unknown:
        raise Broken(f"{len(unknown)} parents are no codes of the edition: {_some(list(unknown))}")
    order, ids, last = _number(first)
    hierarchy = Hierarchy(order, ids, last, first, further)
    circle = list(_circular(hierarchy)) if further or len(order) < len(codes) else []
    if circle:
        raise Broken(f"{len(circle)} codes lie below themselves: {_some([codes[p] for p in circle])}")
    return hierarchy


def _some(codes: list[str]) -> str:
    return ", ".join(codes[:SHOWN]) + (" …" if len(codes) > SHOWN else "")


def _number(first: array[int]) -> tuple[array[int], array[int], array[int]]:
    """Pre-order over first parents without a stack; what hangs on a circle is not reached."""
    count = len(first)
    child, sibling = array("i", [-1]) * count, array("i", [-1]) * count
    root = -1
    for place in range(count - 1, -1, -1):
        parent = first[place]
        if parent < 0:
            sibling[place], root = root, place
        else:
            sibling[place], child[parent] = child[parent], place
    order, ids, last = array("i"), array("i", [0]) * count, array("i", [0]) * count
    at, number = root, 0
    while at >= 0:
        number += 1
        ids[at] = number
        order.append(at)
        if child[at] >= 0:
            at = child[at]
            continue
        while at >= 0:
            last[at] = number
            if sibling[at] >= 0:
                at = sibling[at]
                break
            at = first[at]
    return order, ids, last


def _above(h: Hierarchy, place: int) -> tuple[int, ...]:
    parent = h.first[place]
    return (parent, *h.further.get(place, ())) if parent >= 0 else ()


def _upwards(h: Hierarchy) -> Iterator[int]:
    """Every place after all that lie below it; those above a circle, and it, never come."""
    waiting = array("i", [0]) * len(h.first)  # children that have not come
    for place in range(len(h.first)):
        for parent in _above(h, place):
            waiting[parent] += 1
    ready = [place for place, children in enumerate(waiting) if not children]
    while ready:
        place = ready.pop()
        yield place
        for parent in _above(h, place):
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)


def _circular(h: Hierarchy) -> Iterator[int]:
    """The places that lie on a circle or between two."""
    left = set(range(len(h.first))).difference(_upwards(h))
    shrinking = True
    while shrinking:
        loose = {p for p in left if not any(parent in left for parent in _above(h, p))}
        left -= loose
        shrinking = bool(loose)
    yield from sorted(left)


def _spans(h: Hierarchy) -> Iterator[tuple[int, bytes]]:
    """Carry intervals upwards; one that a concept's own covers is not carried on. Packed as first << 32 | last."""
    carried: dict[int, set[int]] = {}
    count = 0
    for place in _upwards(h):
        own = h.ids[place] << 32 | h.last[place]
        extra = carried.pop(place, None)
        merged = _merged([own, *extra]) if extra else [own]
        if merged != [own]:
            count += len(merged)
            if count > MOST_INTERVALS:
                raise Broken(f"its further parents make more than {MOST_INTERVALS} intervals")
            yield place, b"".join((array("I", [m >> 32 for m in merged]), array("I", [m & _LOW for m in merged])))
        parent = h.first[place]
        for parent in (*h.further.get(place, ()), *((h.first[place],) if merged != [own] else ())):
            if parent >= 0 and (news := [m for m in merged if not _covers(h, parent, m)]):
                carried.setdefault(parent, set()).update(news)


def _covers(h: Hierarchy, place: int, interval: int) -> bool:
    return h.ids[place] <= interval >> 32 and interval & _LOW <= h.last[place]


def _merged(intervals: list[int]) -> list[int]:
    """Disjoint intervals in order, those that touch joined."""
    intervals.sort()
    merged = [intervals[0]]
    for interval in intervals[1:]:
        last = merged[-1] & _LOW
        if interval >> 32 > last + 1:
            merged.append(interval)
        elif interval & _LOW > last:
            merged[-1] += (interval & _LOW) - last
    return merged
