"""The edition that an expression is asked of: sets of its concepts are masks by id, of which the first is unused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fhir_profiles.errors import Category, FhirError
from terminology.ecl.columns import Numbers, column
from terminology.store.file import EditionFile

Mask = NDArray[np.bool_]


class Rows(NamedTuple):
    """Relationships of one type, row by row; for concrete ones `targets` are places in `values`."""

    type: str
    sources: Numbers
    targets: Numbers
    groups: NDArray[np.uint16]
    values: tuple[str, ...] = ()


class Substrate:
    """The columns of one edition, read when they are first needed."""

    def __init__(self, file: EditionFile) -> None:
        self.file = file
        if not file.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'attribute'").fetchone():
            text = "Expression constraints are supported for SNOMED CT that was loaded by `fhirwright load snomed`"
            raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
        self.size = int(file.db.execute("SELECT max(id) FROM concept").fetchone()[0] or 0) + 1

    def none(self) -> Mask:
        """No concept."""
        return np.zeros(self.size, dtype=bool)

    def every(self) -> Mask:
        """All concepts, inactive ones too."""
        found = np.ones(self.size, dtype=bool)
        found[0] = False
        return found

    def of(self, ids: Iterable[int] | NDArray[Any]) -> Mask:
        """The concepts of these ids."""
        found = self.none()
        found[np.asarray(ids, dtype=np.int64)] = True
        return found

    def _link(self, name: str, kind: str = "<u4") -> NDArray[np.uint32]:
        return column(self.file.db.execute("SELECT data FROM link WHERE name = ?", (name,)).fetchone()[0], kind)

    @cached_property
    def active(self) -> Mask:
        """The concepts in use."""
        return np.concatenate(([False], self._link("active", "u1").astype(bool)))

    @cached_property
    def _parent(self) -> Numbers:
        return np.concatenate((np.zeros(1, np.uint32), self._link("parent")))

    @cached_property
    def _last(self) -> Numbers:
        return np.concatenate((np.zeros(1, np.uint32), self._link("last")))

    @cached_property
    def _edges(self) -> tuple[Numbers, Numbers]:
        return self._link("child"), self._link("above")

    def children(self, of: Mask) -> Mask:
        """The direct children of a set; of the unused id 0 there are none."""
        child, above = self._edges
        found: Mask = of[self._parent]
        found[child[of[above]]] = True
        return found

    def parents(self, of: Mask) -> Mask:
        """The direct parents of a set."""
        child, above = self._edges
        found = self.none()
        found[self._parent[of]] = True
        found[above[of[child]]] = True
        found[0] = False
        return found

    def below(self, of: Mask) -> Mask:
        """Everything below a set, without what of it lies not below another of it."""
        found = self._subtrees(self.children(of))
        child, above = self._edges
        while True:
            news = child[found[above] & ~found[child]]
            if not len(news):
                return found
            found |= self._subtrees(self.of(news))

    def _subtrees(self, of: Mask) -> Mask:
        """A set and what lies below it in the tree of first parents."""
        ids = np.flatnonzero(of)
        steps = np.zeros(self.size + 1, dtype=np.int32)
        steps[ids] = 1
        np.subtract.at(steps, self._last[ids].astype(np.int64) + 1, 1)
        found: Mask = np.cumsum(steps[:-1]) > 0
        return found

    def above(self, of: Mask) -> Mask:
        """Everything above a set."""
        found = self.none()
        layer = self.parents(of)
        while layer.any():
            found |= layer
            layer = self.parents(layer) & ~found
        return found

    def ids(self, codes: Iterable[str]) -> list[int]:
        """The ids of the codes that the edition has."""
        sql = "SELECT id FROM concept WHERE code IN (SELECT value FROM json_each(?))"
        return [number for (number,) in self.file.db.execute(sql, (json.dumps(list(codes)),))]

    def having(self, property_: str, value: str) -> Mask:
        """The concepts that have a value of a property."""
        sql = "SELECT p.concepts FROM property p JOIN declared d ON d.no = p.no WHERE d.code = ? AND p.value = ?"
        row = self.file.db.execute(sql, (property_, value)).fetchone()
        return self.of(column(row[0])) if row else self.none()

    @cached_property
    def subsets(self) -> dict[int, str]:
        """The reference sets: id of their concept → identifier."""
        found = ((self.file.id_of(name), name) for name, _, _ in self.file.subsets())
        return {number: name for number, name in found if number is not None}

    def members(self, refset: str) -> NDArray[np.uint32]:
        """The ids of the members of a reference set."""
        row = self.file.db.execute("SELECT members FROM subset WHERE id = ?", (refset,)).fetchone()
        return column(row[0]) if row else np.empty(0, np.uint32)

    @cached_property
    def types(self) -> dict[int, str]:
        """The types of attributes that are in use: id → identifier."""
        rows = self.file.db.execute("SELECT type FROM attribute UNION SELECT type FROM concrete")
        found = ((self.file.id_of(name), name) for (name,) in rows)
        return {number: name for number, name in found if number is not None}

    def rows(self, type_: str) -> Rows | None:
        """The relationships of a type to concepts."""
        sql = "SELECT sources, targets, groups FROM attribute WHERE type = ?"
        row = self.file.db.execute(sql, (type_,)).fetchone()
        return row and Rows(type_, column(row[0]), column(row[1]), column(row[2], "<u2"))

    def values(self, type_: str) -> Rows | None:
        """The relationships of a type to concrete values."""
        sql = 'SELECT sources, groups, "values" FROM concrete WHERE type = ?'
        row = self.file.db.execute(sql, (type_,)).fetchone()
        if row is None:
            return None
        values = tuple(json.loads(row[2]))
        return Rows(type_, column(row[0]), np.arange(len(values), dtype=np.uint32), column(row[1], "<u2"), values)

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """Every group of attributes that there is: id of its concept << 16 | its number, rising."""
        found: NDArray[np.int64] = np.unique(
            np.concatenate([np.empty(0, np.int64), *map(group_keys, self._every_row())])
        )
        return found

    def _every_row(self) -> Iterator[Rows]:
        for name in self.types.values():
            yield from (rows for rows in (self.rows(name), self.values(name)) if rows is not None)


def group_keys(rows: Rows) -> NDArray[np.int64]:
    """The group of each row that is in one."""
    grouped = rows.groups > 0
    return rows.sources[grouped].astype(np.int64) << 16 | rows.groups[grouped]
