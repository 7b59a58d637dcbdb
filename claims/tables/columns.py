"""Columns as numbers: texts and lists by the number of each distinct one, numbers beside whether they are known."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

Array = np.ndarray[Any, np.dtype[Any]]
DENSE = 1 << 21
"""Numbers below it are counted off in an array instead of sorted."""


@dataclass(frozen=True)
class Coded:
    """Values, none of them twice, and the number of that of each row; -1 is null."""

    values: Sequence[Any]
    numbers: Array
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    def at(self, rows: Array) -> Coded:
        """The same for chosen rows."""
        return Coded(self.values, self.numbers[rows], self._kept)

    def listed(self) -> list[Any]:
        """The value of each row."""
        values = self.values
        return [values[number] if number >= 0 else None for number in self.numbers.tolist()]

    @property
    def index(self) -> Mapping[Any, int]:
        """Value → its number."""
        found: Mapping[Any, int] | None = self._kept.get("index")
        if found is None:
            found = self._kept["index"] = {value: number for number, value in enumerate(self.values)}
        return found

    def mapped(self, known: Mapping[Any, int]) -> Array:
        """What each value is in a dict, -1 for one that is not there."""
        values, numbers = self.values, self.numbers
        if len(values) > len(numbers):  # of a column of a whole table
            used, numbers = renumbered(numbers % (len(values) + 1), len(values) + 1)
            found = [known.get(values[n], -1) if n < len(values) else -1 for n in used.tolist()]
        else:
            found = [*map(known.get, values, (-1,) * len(values)), -1]
        return np.array(found, np.int64)[numbers]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers, and whether each is known; None: all are."""

    array: Array
    known: Array | None = None

    def at(self, rows: Array) -> Numbers:
        """The same for chosen rows."""
        return Numbers(self.array[rows], None if self.known is None else self.known[rows])


@dataclass(frozen=True, slots=True)
class Flags:
    """Which are true and which are false; the others are not known."""

    true: Array
    false: Array

    def at(self, rows: Array) -> Flags:
        """The same for chosen rows."""
        return Flags(self.true[rows], self.false[rows])

    def when(self, wanted: bool) -> Array:
        """Which are so."""
        return self.true if wanted else self.false


Values = Coded | Numbers | Flags


def renumbered(keys: Array, below: int) -> tuple[Array, Array]:
    """(the distinct keys in order, the place of each key among them); keys are from 0 to less than `below`."""
    if below > DENSE:
        found, back = np.unique(keys, return_inverse=True)
        return found, back
    there = np.zeros(below, np.bool_)
    there[keys] = True
    found = np.flatnonzero(there)
    numbers = np.empty(below, np.int32)
    numbers[found] = np.arange(len(found), dtype=np.int32)
    return found, numbers[keys]


def laid(series: pl.Series) -> Values:
    """A column of a frame."""
    if series.dtype == pl.String:
        return texts(series)
    if series.dtype == pl.Boolean:
        if not series.null_count():
            true = series.to_numpy()
            return Flags(true, ~true)
        return Flags(series.fill_null(value=False).to_numpy(), (~series).fill_null(value=False).to_numpy())
    if isinstance(series.dtype, pl.List):
        return lists(series)
    if not series.null_count():
        return Numbers(series.to_numpy())
    known = np.zeros(len(series), np.bool_) if series.null_count() == len(series) else series.is_not_null().to_numpy()
    return Numbers(series.fill_null(0).to_numpy(), known)


def listed(values: Sequence[Any], kind: str) -> Values:
    """A column of a few values, of a kind that sheets have."""
    if kind == "flag":
        return Flags(np.array([one is True for one in values], bool), np.array([one is False for one in values], bool))
    if kind in ("text", "texts", "wholes"):
        return distinct(values if kind == "text" else [None if one is None else tuple(one) for one in values])
    return told(values, kind)


def texts(series: pl.Series) -> Coded:
    """A column of texts."""
    if series.null_count() == len(series):
        return Coded((), np.full(len(series), -1, np.int32))
    values = series.drop_nulls().unique()
    numbers = series.cast(pl.Enum(values)).to_physical()
    if numbers.null_count():
        numbers = numbers.cast(pl.Int64).fill_null(-1)
    return Coded(values.to_list(), numbers.to_numpy().astype(np.int32))


def lists(series: pl.Series) -> Coded:
    """A column of lists, each as a tuple."""
    sizes = series.list.len()
    null = sizes.is_null().to_numpy() if sizes.null_count() else None
    lengths = sizes.fill_null(0).to_numpy().astype(np.int64)
    most = int(lengths.max(initial=0))
    numbers = np.zeros(len(series), np.int64)
    values: list[tuple[Any, ...]] = [()]
    if most:
        elements = series.filter(pl.Series(lengths > 0)).explode()
        inner = coded(laid(elements))
        starts = np.cumsum(lengths) - lengths
        numbers, values = _sequences(inner, starts, lengths, most)
    if null is not None:
        numbers[null] = -1
    return Coded(values, numbers)


def _sequences(inner: Coded, starts: Array, lengths: Array, most: int) -> tuple[Array, list[tuple[Any, ...]]]:
    """Lists numbered element by element: what they begin with, and the element that follows."""
    numbers = np.zeros(len(lengths), np.int64)
    values: list[tuple[Any, ...]] = [()]
    size = len(inner.values) + 1
    each = (*inner.values, None)
    rows = np.flatnonzero(lengths)
    for place in range(most):
        rows = rows[lengths[rows] > place]
        keys = numbers[rows] * size + inner.numbers[starts[rows] + place] % size
        found, back = renumbered(keys, len(values) * size)
        numbers[rows] = back + len(values)
        begins, elements = np.divmod(found, size)
        values += [(*values[b], each[e]) for b, e in zip(begins.tolist(), elements.tolist(), strict=True)]
    return numbers, values


def coded(values: Values) -> Coded:
    """Any column by its distinct values."""
    if isinstance(values, Coded):
        return values
    if isinstance(values, Flags):
        return Coded((False, True), values.true.astype(np.int64) - ~(values.true | values.false))
    known = values.known
    found, back = np.unique(values.array if known is None else values.array[known], return_inverse=True)
    numbers = back
    if known is not None:
        numbers = np.full(len(known), -1, np.int64)
        numbers[known] = back
    return Coded(found.tolist(), numbers)


def told(results: Sequence[Any], kind: str) -> Values:
    """What was told of distinct values, by their place; None is null."""
    known = np.fromiter((one is not None for one in results), np.bool_, len(results))
    if kind == "number":
        return Numbers(np.array([0.0 if one is None else one for one in results], np.float64), known)
    return Numbers(np.array([0 if one is None else one for one in results], np.int64), known)


def distinct(results: Iterable[Hashable]) -> Coded:
    """Values by the number of each distinct one; None is null."""
    known: dict[Any, int] = {None: -1}
    numbers = np.fromiter((known.setdefault(one, len(known) - 1) for one in results), np.int64)
    del known[None]
    return Coded(tuple(known), numbers)


class Laid:
    """The columns of a table with a last element that is null, for no row."""

    def __init__(self, values: pl.DataFrame) -> None:
        self._values = values
        self._found: dict[str, Values] = {}

    def __getitem__(self, name: str) -> Values:
        found = self._found.get(name)
        if found is None:
            series = self._values[name]
            found = self._found[name] = laid(series.append(pl.Series(series.name, [None], dtype=series.dtype)))
        return found
