"""Which concepts meet a refinement: attributes, counted, by themselves and in groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terminology.ecl.substrate import Mask, Rows, Substrate, group_keys
from terminology.ecl.tree import MANY, ONCE_OR_MORE, Attribute, Clause, Group, Junction, Node, Text, Times, Value

_TARGET = 23
"""Bits that the id of a target takes beside a group's 39: there are at most five million concepts."""

Keys = NDArray[np.int64]
Select = Callable[[Node], Mask]


class Refining:
    """Answers clauses over one edition; `select` gives the concepts of a constraint, `spend` is told of work done."""

    def __init__(self, substrate: Substrate, select: Select, spend: Callable[[int], None]) -> None:
        self._of = substrate
        self._select = select
        self._spend = spend

    def concepts(self, clause: Clause) -> Mask:
        """The concepts that meet a clause."""
        if isinstance(clause, Junction):
            found = map(self.concepts, clause.of)
            return reduce(np.logical_and if clause.operator == "AND" else np.logical_or, found)
        if isinstance(clause, Group):
            keys = self._groups(clause.of)
            return self._counted(keys >> 16, clause.times)
        if clause.times == Times(0, MANY):
            return self._of.every()
        rows = list(self._rows(clause))
        if clause.times == ONCE_OR_MORE:
            return self._of.of(np.concatenate([np.empty(0, np.uint32), *(r.sources for r in rows)]))
        self._spend(60 * sum(len(r.sources) for r in rows))
        pairs = [np.unique(r.sources.astype(np.int64) << 32 | _distinct(r)) for r in rows]
        return self._counted(np.concatenate([np.empty(0, np.int64), *pairs]) >> 32, clause.times)

    def targets(self, name: Node, of: Mask) -> Mask:
        """The values that a set has in the attributes of a name."""
        found = self._of.none()
        for rows in self._of_types(name, self._of.rows):
            found[rows.targets[of[rows.sources]]] = True
        return found

    def _counted(self, subjects: NDArray[Any], times: Times) -> Mask:
        """The concepts that come as often as a cardinality says."""
        counts = np.bincount(subjects, minlength=self._of.size)
        found: Mask = counts >= times.least
        if times.most is not MANY:
            found &= counts <= times.most
        found[0] = False
        return found

    def _groups(self, clause: Clause) -> Keys:
        """The groups in which a clause holds, rising."""
        if isinstance(clause, Junction):
            parts = map(self._groups, clause.of)
            return reduce(_common if clause.operator == "AND" else np.union1d, parts)
        assert isinstance(clause, Attribute)
        if clause.times == Times(0, MANY):
            return self._of.groups
        keys: list[Keys] = [np.empty(0, np.int64)]
        for rows in self._rows(clause):
            grouped = rows.groups > 0
            found = group_keys(rows)
            if clause.times != ONCE_OR_MORE:
                found = np.unique(found << _TARGET | _distinct(rows)[grouped]) >> _TARGET
            keys.append(found)
        every = np.concatenate(keys)
        self._spend(100 * len(every) + 10 * (not clause.times.least) * len(self._of.groups))
        if clause.times == ONCE_OR_MORE:
            return np.unique(every)
        present, counts = np.unique(every, return_counts=True)
        fits = (counts >= clause.times.least) & (
            (counts <= clause.times.most) if clause.times.most is not MANY else True
        )
        if clause.times.least:
            return present[fits]
        return np.setdiff1d(self._of.groups, present[~fits], assume_unique=True)

    def _rows(self, attribute: Attribute) -> Iterator[Rows]:
        """The relationships that match an attribute, those of each type together; reversed ones turned around."""
        value = attribute.value
        if not isinstance(value, Node):
            for rows in self._of_types(attribute.name, self._of.values):
                meets = _comparison(attribute.operator, value)
                yield _only(rows, np.fromiter(map(meets, rows.values), dtype=bool, count=len(rows.values)))
            return
        wanted = self._select(value)
        for rows in self._of_types(attribute.name, self._of.rows):
            matches = wanted[rows.sources if attribute.reverse else rows.targets]
            found = _only(rows, matches if attribute.operator == "=" else ~matches)
            yield found._replace(sources=found.targets, targets=found.sources) if attribute.reverse else found

    def _of_types(self, name: Node, find: Callable[[str], Rows | None]) -> Iterator[Rows]:
        types = self._select(name)
        for number, type_ in self._of.types.items():
            rows = find(type_) if types[number] else None
            if rows is not None:
                self._spend(20 * len(rows.sources))
                yield rows


def _only(rows: Rows, chosen: Mask) -> Rows:
    return Rows(rows.type, rows.sources[chosen], rows.targets[chosen], rows.groups[chosen], rows.values)


def _distinct(rows: Rows) -> NDArray[np.int64]:
    """A number for each row that is the same for equal targets."""
    if not rows.values:
        return rows.targets.astype(np.int64)
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(rows.values[t], len(numbers)) for t in rows.targets.tolist()], dtype=np.int64)


def _common(a: Keys, b: Keys) -> Keys:
    return np.intersect1d(a, b, assume_unique=True)


_ORDERED: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _comparison(operator: str, wanted: Value) -> Callable[[str], bool]:
    """A test of a concrete value as it stands in the file; one of another kind never passes."""
    if isinstance(wanted, Decimal):
        compare = _ORDERED[operator]
        return lambda text: text[:1] == "#" and compare(Decimal(text[1:]), wanted)
    equal = operator == "="
    if isinstance(wanted, Text):
        return lambda text: text[:1] == '"' and (text[1:-1] == wanted.text) is equal
    return lambda text: text.lower() in ("true", "false") and ((text.lower() == "true") is wanted) is equal
