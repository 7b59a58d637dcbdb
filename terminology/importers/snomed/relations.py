"""The relationships of a release: the hierarchy, attributes in groups, concrete values.

https://docs.snomed.org/snomed-ct-specifications/snomed-ct-release-file-specification
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terminology import sctid
from terminology.importers.given import Member, refuse
from terminology.importers.snomed.concepts import Concepts
from terminology.importers.snomed.files import CONCRETE, RELATIONSHIP, Release, Table, line_of
from terminology.source import Relation

MOST_GROUPS = 9_999
CONCRETE_VALUE = re.compile(r'#[+-]?[0-9]+(\.[0-9]+)?|"[^"]+"|true|false', re.IGNORECASE)

Column = NDArray[np.uint32]


class Relations:
    """Parents and attributes of each concept by its place. Of the inferred relationships the active ones count."""

    def __init__(self, release: Release, concepts: Concepts) -> None:
        self._codes = concepts.codes
        parents: tuple[array[int], ...] = (array("I"), array("I"))
        attributes: tuple[array[int], ...] = tuple(array("I") for _ in range(4))  # source, group, type, target
        table = Table(release["relationships"], RELATIONSHIP, release.day, sctid.RELATIONSHIP)
        for member, number, fields in table.rows():
            source, target, group, type_ = _row(table, member, number, fields, concepts)
            if fields[2] == "0" or fields[8] != sctid.INFERRED:
                continue
            if fields[7] == sctid.IS_A:
                _both_active(table, member, number, fields, concepts, source, target)
                parents[0].append(source)
                parents[1].append(target)
            else:
                for column, value in zip(attributes, (source, group, type_, target), strict=True):
                    column.append(value)
        size = len(concepts.codes)
        self._above = _Rows(size, parents, by=_numbers(concepts.codes))
        self._attributes = _Rows(size, attributes)
        self._concrete = _concrete(release, concepts)
        _check_hierarchy(self._above, concepts, release)

    def parents(self, place: int) -> tuple[str, ...]:
        """The parents of a concept, by number."""
        codes = self._codes
        return tuple(codes[row[0]] for row in self._above.of(place))

    def attributes(self, place: int) -> tuple[Relation, ...]:
        """The attributes of a concept by group and number; a concrete value stands in the place of the target."""
        codes = self._codes
        found = [Relation(codes[type_], codes[target], group) for group, type_, target in self._attributes.of(place)]
        return (*found, *self._concrete.get(place, ()))


class _Rows:
    """Rows sorted by their first column, so that those of one place are a slice."""

    def __init__(self, size: int, columns: tuple[array[int], ...], by: NDArray[Any] | None = None) -> None:
        arrays = [np.frombuffer(c, dtype=np.uint32) if c else np.empty(0, np.uint32) for c in columns]
        keys = [by[arrays[1]]] if by is not None else arrays[:0:-1]
        order = np.lexsort((*keys, arrays[0]))
        first = arrays[0][order]
        self.starts = np.searchsorted(first, np.arange(size + 1))
        self.columns: list[Column] = [column[order] for column in arrays[1:]]

    def of(self, place: int) -> Iterator[tuple[int, ...]]:
        """The further columns of the rows of a place."""
        here = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return zip(*(column[here].tolist() for column in self.columns), strict=True)


def _numbers(codes: list[str]) -> NDArray[np.uint64]:
    return np.array([int(code) for code in codes], dtype=np.uint64)


def _row(table: Table, member: Member, number: int, fields: list[str], concepts: Concepts) -> tuple[int, int, int, int]:
    """Places of source, target and type, and the group; refused where one is not known."""
    of = concepts.of
    source, target, type_ = of.get(fields[4]), of.get(fields[5]), of.get(fields[7])
    if source is None:
        source = concepts.place(table, member, number, fields, "sourceId")
    if target is None:
        target = concepts.place(table, member, number, fields, "destinationId")
    if type_ is None:
        type_ = concepts.place(table, member, number, fields, "typeId")
    return source, target, _group(table, member, number, fields), type_


def _group(table: Table, member: Member, number: int, fields: list[str]) -> int:
    text = fields[6]
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_GROUPS):
        table.refuse(member, number, fields, "relationshipGroup", f"a whole number up to {MOST_GROUPS} is expected")
    return int(text)


def _both_active(
    table: Table, member: Member, number: int, fields: list[str], concepts: Concepts, source: int, target: int
) -> None:
    if source == target:
        table.refuse(member, number, fields, "destinationId", "a concept cannot be its own parent")
    for name, place in (("sourceId", source), ("destinationId", target)):
        if not concepts.active[place]:
            table.refuse(member, number, fields, name, "an active place in the hierarchy needs an active concept")


def _concrete(release: Release, concepts: Concepts) -> dict[int, list[Relation]]:
    found: dict[int, list[Relation]] = {}
    table = Table(release["concrete"], CONCRETE, release.day, sctid.RELATIONSHIP)
    for member, number, fields in table.rows():
        source = concepts.place(table, member, number, fields, "sourceId")
        type_ = concepts.place(table, member, number, fields, "typeId")
        group = _group(table, member, number, fields)
        if not CONCRETE_VALUE.fullmatch(fields[5]):
            table.refuse(
                member, number, fields, "value", "a number as #10, a text in quotes, true or false is expected"
            )
        if fields[2] == "1" and fields[8] == sctid.INFERRED:
            found.setdefault(source, []).append(Relation(concepts.codes[type_], fields[5], group))
    return {place: sorted(rows, key=lambda r: (r.group, r.type, r.target)) for place, rows in found.items()}


def _check_hierarchy(above: _Rows, concepts: Concepts, release: Release) -> None:
    """Refuse active concepts that hang in the air, and circles."""
    counts = np.diff(above.starts)
    active = np.frombuffer(bytes(concepts.active), dtype=np.uint8).astype(bool)
    for place in np.flatnonzero(active & (counts == 0)).tolist():
        if concepts.codes[place] != sctid.ROOT:
            where = line_of(concepts.members, (0, concepts.codes[place]))
            refuse(*where, 1, "the active concept has no parent: give the release that this one depends on, too")
    circle = _circle(above, _waiting(above, counts))
    if circle is not None:
        child, parent = (concepts.codes[place] for place in circle)
        where = line_of(release["relationships"], (2, "1"), (4, child), (5, parent), (7, sctid.IS_A))
        refuse(*where, 1, "the hierarchy runs in a circle through this row")


def _waiting(above: _Rows, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The parents of each concept that cannot be placed below the root, layer by layer: all 0 without circles."""
    parents = above.columns[0]
    order = np.argsort(parents, kind="stable")
    below = np.repeat(np.arange(len(counts)), counts)[order]
    starts = np.searchsorted(parents[order], np.arange(len(counts) + 1))
    waiting = counts.copy()
    layer = np.flatnonzero(counts == 0)
    while len(layer):
        freed = np.concatenate([below[starts[p] : starts[p + 1]] for p in layer.tolist()])
        np.subtract.at(waiting, freed, 1)
        layer = np.unique(freed[waiting[freed] == 0])
    return waiting


def _circle(above: _Rows, waiting: NDArray[np.int64]) -> tuple[int, int] | None:
    """Child and parent of one step in a circle: up along what waits, until one comes again."""
    left = np.flatnonzero(waiting > 0)
    if not len(left):
        return None
    place, seen, below = int(left[0]), set[int](), 0
    while place not in seen:
        seen.add(place)
        rows = above.columns[0][above.starts[place] : above.starts[place + 1]].tolist()
        below, place = place, next(parent for parent in rows if waiting[parent] > 0)
    return below, place
