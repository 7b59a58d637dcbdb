"""Many claims as the columns of tables, one list for each, and each claim as a view of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
import polars as pl

from claims.sheet.columns import Columns
from claims.sheet.frames import EVERY, Wanted
from claims.sheet.parties import Resolve
from claims.sheet.read import read_rows
from claims.sheet.rows import NAMES, Rows, laid
from claims.sheet.shapes import Heading

_AT_ONCE = 500
"""Claims that are laid out together; more of them no longer fit into the caches of a processor."""


class Row(Mapping[str, Any]):
    """A row as a view of its columns; what is put into it is put into them."""

    __slots__ = ("_at", "_columns")

    def __init__(self, columns: Columns, at: int) -> None:
        self._columns, self._at = columns, at

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][self._at]

    def __setitem__(self, name: str, value: Any) -> None:
        self._columns.put(name, self._at, value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class View(Mapping[str, Any]):
    """One claim of a sheet: `claim` is a row, the collections are lists of rows."""

    __slots__ = ("_row", "_sheet")

    def __init__(self, sheet: Sheet, row: int) -> None:
        self._sheet, self._row = sheet, row

    def __getitem__(self, name: str) -> Any:
        if name == "claim":
            return Row(self._sheet.columns["claims"], self._row)
        columns = self._sheet.columns[name]
        first, after = self._sheet.span(name, self._row)
        return [Row(columns, at) for at in range(first, after)]

    def __iter__(self) -> Iterator[str]:
        yield "claim"
        yield from (name for name in NAMES if name != "claims")

    def __len__(self) -> int:
        return len(NAMES)


class Sheet(Sequence[View]):
    """Claims read together, numbered from 0: as records, which are views, and as `columns`.

    All claims are added before the first is looked at. A few hundred at a time are laid out, while they are at hand to
    the processor: what is kept of a claim is small.
    """

    def __init__(self) -> None:
        self._columns = {name: Columns(name) for name in NAMES}
        self._rows: Rows = {name: [] for name in NAMES}
        self._count = 0
        self._starts: dict[str, list[int]] = {}

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Sheet:
        """A sheet of records, whose claims are numbered in their order."""
        found = cls()
        for record in records:
            for name in NAMES:
                some = [record["claim"]] if name == "claims" else record[name]
                found._rows[name] += [laid(name, row) for row in some]
            found._counted()
        return found

    def add(self, body: bytes, received: int | None = None, resolve: Resolve | None = None) -> Heading:
        """Read one more claim, as `read_claim` does; nothing is added where that fails."""
        claim, rows = read_rows(body, self._count, resolve, received)
        for name, some in rows.items():
            if some:
                self._rows[name] += some
        self._counted()
        return claim

    def _counted(self) -> None:
        self._count += 1
        if self._count % _AT_ONCE == 0:
            self._lay()

    def _lay(self) -> None:
        for name, rows in self._rows.items():
            if rows:
                self._columns[name].extend(rows)
                rows.clear()

    @property
    def columns(self) -> Mapping[str, Columns]:
        """Collection → its columns."""
        if self._rows["claims"]:
            self._lay()
        return self._columns

    def frames(self, wanted: Wanted = EVERY) -> dict[str, pl.DataFrame]:
        """The frames and columns that are asked for."""
        return {name: columns.frame(wanted[name]) for name, columns in self.columns.items() if wanted.get(name)}

    def span(self, name: str, row: int) -> tuple[int, int]:
        """Where the rows of a claim begin in a collection, and where those of the next one do."""
        if name not in self._starts:
            rows = np.array(self.columns[name]["row"], np.int64)
            self._starts[name] = np.searchsorted(rows, np.arange(self._count + 1)).tolist()
        starts = self._starts[name]
        return starts[row], starts[row + 1]

    def number(self, name: str, row: int, place: int) -> int:
        """The sequence number of what stands at a place, from 0, in a collection of a claim."""
        found: int = self.columns[name]["seq"][self.span(name, row)[0] + place]
        return found

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> View: ...
    @overload
    def __getitem__(self, row: slice) -> list[View]: ...
    def __getitem__(self, row: int | slice) -> View | list[View]:
        if isinstance(row, slice):
            return [View(self, one) for one in range(self._count)[row]]
        return View(self, range(self._count)[row])
