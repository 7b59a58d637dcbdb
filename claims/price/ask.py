"""Tables asked by the column, as arrays of numbers that a last element answers for no row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from claims.price.exact import Array
from claims.sheet.schema import CLAIM, LINE
from claims.tables.columns import Coded, Flags, Numbers, Values, laid, listed
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

    def find(self, name: str, keys: Sequence[Coded], days: Array) -> Array:
        """The row for each line; -1 for none, and where the table is not loaded."""
        table = self.tables.get(name)
        if table is None:
            return np.full(len(days), -1)
        if len(days) > SMALL:
            return table.find_many(keys, days)
        asked = zip(*(key.listed() for key in keys), days.tolist(), strict=True)
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


def whole(values: Values, absent: int = 0) -> Array:
    """Numbers; `absent` for null."""
    assert isinstance(values, Numbers)
    return values.array if values.known is None else np.where(values.known, values.array, absent)


def same(text: str, count: int) -> Coded:
    """One text for each line."""
    return Coded((text,), np.zeros(count, np.int64))


def texts(values: Values) -> Coded:
    """A column of texts or lists."""
    assert isinstance(values, Coded)
    return values


def flags(values: Values) -> Flags:
    """A column of flags."""
    assert isinstance(values, Flags)
    return values


def among(values: Coded, wanted: Sequence[str | None]) -> Array:
    """Whether a text is one of these; None is one that is null."""
    found = np.array([*(value in wanted for value in values.values), None in wanted])
    return np.asarray(found[values.numbers])


Columns = Callable[[str, str], Values]
"""A column by frame and name."""


def of_frames(frames: Mapping[str, pl.DataFrame]) -> Columns:
    """The columns of frames."""
    return lambda frame, name: laid(frames[frame][name])


def of_record(record: Mapping[str, Any]) -> Columns:
    """The columns of one claim."""

    def column(frame: str, name: str) -> Values:
        rows = record["lines"] if frame == "lines" else [record["claim"]]
        if name == "row":
            return Numbers(np.zeros(len(rows), np.int64))
        return listed([row[name] for row in rows], (LINE if frame == "lines" else CLAIM)[name])

    return column
