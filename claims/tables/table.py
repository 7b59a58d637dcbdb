"""A table in memory: rows by key and period, asked one by one or by the column, with the same answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from claims.tables.columns import Array, Coded, Laid, texts
from claims.tables.schema import TableDef
from fhir_profiles.errors import Category, FhirError

_DAYS = 17  # bits: the year 2328
_LAST = (1 << _DAYS) - 1


@dataclass(frozen=True)
class Table:
    """Rows sorted by key and first day. `release` names what was loaded, for the stamp on what rests on it."""

    definition: TableDef
    release: str
    values: pl.DataFrame
    _ids: tuple[dict[str, int], ...]
    _places: Array  # key and first day in one number
    _ends: Array
    _lists: dict[str, list[Any]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, definition: TableDef, rows: pl.DataFrame, release: str) -> Table:
        """From a frame with the columns of the keys and values, and `start` and `end` (days, null: open).

        FhirError when two rows of a key hold on the same day.
        """
        known_texts = [rows[name].fill_null("").unique().sort() for name in definition.keys]
        ids = tuple({text: n for n, text in enumerate(known.to_list())} for known in known_texts)
        keys = np.zeros(len(rows), np.int64)
        for name, known in zip(definition.keys, known_texts, strict=True):
            numbers = rows[name].fill_null("").cast(pl.Enum(known)).to_physical()
            keys = keys * len(known) + numbers.to_numpy().astype(np.int64)
        start = rows["start"].fill_null(0).to_numpy() if "start" in rows.columns else np.zeros(len(rows), np.int64)
        end = rows["end"].fill_null(_LAST).to_numpy() if "end" in rows.columns else np.full(len(rows), _LAST)
        places = (keys << _DAYS) | start.clip(0, _LAST)
        ends = end.astype(np.int64)
        order = np.arange(len(places))
        if (places[1:] < places[:-1]).any():  # what was saved is in order
            order = np.argsort(places, kind="stable")
            places, ends, keys, rows = places[order], ends[order], keys[order], rows[order]
        again = (keys[1:] == keys[:-1]) & ((places[1:] & _LAST) <= ends[:-1])
        if again.any():
            text = f"{definition.title}: two rows hold for one key on the same day (row {int(order[1:][again][0]) + 1})"
            raise FhirError.of(Category.INCORRECT, "structure", text)
        return cls(definition, release, rows.select(list(definition.values)), ids, places, ends)

    def find(self, keys: Sequence[Any], day: int | None) -> int:
        """The row of a key on a day; -1 when there is none, or a key or the day is not known."""
        if day is None:
            return -1
        key = 0
        for value, known in zip(keys, self._ids, strict=True):
            one = known.get(value)
            if one is None:
                return -1
            key = key * len(known) + one
        at = int(np.searchsorted(self._places, (key << _DAYS) | max(day, 0), "right")) - 1
        return at if at >= 0 and int(self._places[at]) >> _DAYS == key and day <= int(self._ends[at]) else -1

    def find_many(self, keys: Sequence[pl.Series | Coded], days: pl.Series | Array) -> Array:
        """The same for columns; a day below 0 is not known."""
        day = days if isinstance(days, np.ndarray) else days.fill_null(-1).to_numpy().astype(np.int64)
        key = np.zeros(len(day), np.int64)
        possible = day >= 0
        for column, known in zip(keys, self._ids, strict=True):
            one = (column if isinstance(column, Coded) else texts(column)).mapped(known)
            possible &= one >= 0
            key = key * len(known) + one
        rows = np.full(len(day), -1, np.int64)
        asked = np.flatnonzero(possible)  # often few: most codes are not in most tables
        if len(self._places) and len(asked):
            key, day = key[asked], day[asked]
            at = np.searchsorted(self._places, (key << _DAYS) | day.clip(0, _LAST), "right") - 1
            safe = at.clip(0)
            good = (at >= 0) & (self._places[safe] >> _DAYS == key) & (day <= self._ends[safe])
            rows[asked] = np.where(good, at, -1)
        return rows

    @cached_property
    def laid(self) -> Laid:
        """The values as numbers, with a last row that is null."""
        return Laid(self.values)

    def known(self, name: str) -> Mapping[str, int]:
        """The texts that a key takes, with their numbers."""
        return self._ids[list(self.definition.keys).index(name)]

    def key(self, name: str) -> Array:
        """The number of each row's key, as `known` has it."""
        at = list(self.definition.keys).index(name)
        keys = self._places >> _DAYS
        for known in self._ids[:at:-1]:
            keys = keys // max(len(known), 1)
        return keys % max(len(self._ids[at]), 1)

    def value(self, row: int, name: str) -> Any:
        """A value of a row; None for no row."""
        if row < 0:
            return None
        if name not in self._lists:
            self._lists[name] = self.values[name].to_list()
        return self._lists[name][row]
