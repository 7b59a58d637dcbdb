"""Tables asked by the column, as arrays of numbers that a last element answers for no row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from claims.price.exact import Array
from claims.tables.table import Table

SMALL = 64
"""Up to so many lines a loop is faster than starting an expression of Polars."""


@dataclass(frozen=True)
class Loaded:
    """The loaded tables; columns are turned into arrays once."""

    tables: Mapping[str, Table]
    _arrays: dict[tuple[str, str, int], Array] = field(default_factory=dict, repr=False)

    def __contains__(self, name: object) -> bool:
        return name in self.tables

    def find(self, name: str, keys: Sequence[pl.Series], days: Array) -> Array:
        """The row for each line; -1 for none, and where the table is not loaded."""
        table = self.tables.get(name)
        if table is None:
            return np.full(len(days), -1)
        if len(days) > SMALL:
            return table.find_many(keys, pl.Series(days))
        asked = zip(*(key.to_list() for key in keys), days.tolist(), strict=True)
        return np.array([table.find(key, day if day >= 0 else None) for *key, day in asked], np.int64)

    def numbers(self, name: str, column: str, absent: int = 0) -> Array:
        """A column of whole numbers or flags; `absent` for null, and for no row (-1, the last)."""
        key = (name, column, absent)
        if key not in self._arrays:
            values = self.tables[name].values[column].cast(pl.Int64).fill_null(absent).to_numpy()
            self._arrays[key] = np.append(values, absent)
        return self._arrays[key]


def marked(values: pl.Series, known: Mapping[str, int], default: int) -> Array:
    """Short texts as numbers; `default` for others, null and, at the end, no row."""
    return np.array([known.get(value or "", default) for value in values.to_list()] + [default], np.int64)


def whole(values: pl.Series, absent: int = 0) -> Array:
    """Whole numbers; `absent` for null."""
    if not values.null_count():
        return values.to_numpy()
    if len(values) <= SMALL:
        return np.array([absent if value is None else value for value in values.to_list()], np.int64)
    return values.fill_null(absent).to_numpy()


def same(text: str, count: int) -> pl.Series:
    """One text for each line."""
    if count <= SMALL:
        return pl.Series([text] * count, dtype=pl.String)
    return pl.Series([text], dtype=pl.String).new_from_index(0, count)


def texts(values: pl.Series, at: Array) -> pl.Series:
    """Texts by number."""
    if len(at) > SMALL:
        return values.gather(pl.Series(at))
    return pl.Series([values[n] for n in at.tolist()], dtype=pl.String)
