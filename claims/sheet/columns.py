"""The columns of a collection of many claims, kept as Polars keeps them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from claims.sheet.frames import EVERY, LISTS, Distinct, series
from claims.sheet.reading import Values
from claims.sheet.rows import LAYOUTS, NAMES


class _Numbers(dict[Values, int]):
    """Values → the number of those that are the same, from 0 in the order of their coming."""

    def __missing__(self, values: Values) -> int:
        number = self[values] = len(self)
        return number


class _Together:
    """Columns whose values stand together: each combination once, and numbers of them."""

    def __init__(self, names: Sequence[str], kinds: Mapping[str, str]) -> None:
        self.names, self._kinds = names, kinds
        self._numbers, self._places = _Numbers(), list[int]()
        self._apart: dict[str, Sequence[Any]] = {}
        self._frame: pl.DataFrame | None = None

    def extend(self, rows: Sequence[Values]) -> None:
        """Add the values of further rows."""
        self._places += map(self._numbers.__getitem__, rows)

    def _column(self, name: str) -> Sequence[Any]:
        if not self._apart:
            self._apart = dict(zip(self.names, zip(*self._numbers, strict=True), strict=True))
        return self._apart[name]

    def list(self, name: str) -> list[Any]:
        """A column, whose lists are not shared."""
        if not self._places:
            return []
        values = self._column(name)
        if self._kinds[name] in LISTS:
            return [list(values[place]) for place in self._places]
        return [values[place] for place in self._places]

    def series(self, name: str) -> pl.Series:
        """A column as Polars has it."""
        if not self._places:
            return series(name, [], self._kinds[name])
        if self._frame is None:  # all of them at once: as fast as one
            apart = pl.DataFrame([series(one, self._column(one), self._kinds[one]) for one in self.names])
            self._frame = apart[np.array(self._places, np.uint32)]
        return self._frame[name]


class Columns(Mapping[str, list[Any]]):
    """Name → values, as a list that is made when it is looked at first; most columns never are.

    Nobody has looked at a column when rows are added.
    """

    def __init__(self, collection: str) -> None:
        self._names, self._kinds, self._layout = NAMES[collection], EVERY[collection], LAYOUTS[collection]
        self._parts: dict[str, list[pl.Series]] = {name: [] for name in self._names}
        self._distinct: dict[str, Distinct] = {}
        self._together: dict[str, _Together] = {}
        self._lists: dict[str, list[Any]] = {}
        self._changed: set[str] = set()
        for part in self._layout:
            if not isinstance(part, str):
                self._together |= dict.fromkeys(part, _Together(part, self._kinds))
            elif self._kinds[part] in LISTS:
                self._distinct[part] = Distinct()

    def extend(self, rows: Sequence[Values]) -> None:
        """Add rows."""
        for part, values in zip(self._layout, zip(*rows, strict=True), strict=True):
            if not isinstance(part, str):
                self._together[part[0]].extend(values)
            elif part in self._distinct:
                self._distinct[part].extend(values)
            else:
                self._parts[part].append(series(part, values, self._kinds[part]))

    def put(self, name: str, at: int, value: Any) -> None:
        """Change a value."""
        self[name][at] = value
        self._changed.add(name)

    def series(self, name: str) -> pl.Series:
        """A column as Polars has it."""
        if name in self._changed:
            return series(name, self._lists[name], self._kinds[name])
        parts = self._parts[name]
        if not parts and name in self._distinct:
            parts.append(self._distinct[name].series(name, self._kinds[name]))
        elif not parts and name in self._together:
            parts.append(self._together[name].series(name))
        if len(parts) != 1:
            parts[:] = [pl.concat(parts) if parts else series(name, [], self._kinds[name])]
        return parts[0]

    def frame(self, wanted: Collection[str]) -> pl.DataFrame:
        """Some of the columns."""
        return pl.DataFrame([self.series(name) for name in self._kinds if name in wanted])

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self._lists:
            self._lists[name] = self._list(name)
        return self._lists[name]

    def _list(self, name: str) -> list[Any]:
        if name in self._together:
            return self._together[name].list(name)
        return self._distinct[name].lists() if name in self._distinct else self.series(name).to_list()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
