"""The rows that expressions are asked of: all of a collection, some of them, or pairs with rows of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from claims.tables.columns import Array, Coded, Values, laid
from claims.tables.table import Table

Frames = Mapping[str, pl.DataFrame]
"""`claims`, `lines` and the others; `row` is the number of the claim, in order and without gaps from 0."""

Mask = bool | Array
"""Which rows; True or False where it is all or none."""


class Batch:
    """Frames and tables, and what was found out about them so far."""

    def __init__(self, frames: Frames, tables: Mapping[str, Table]) -> None:
        self.frames, self.tables = frames, tables
        self.claims = len(frames["claims"])
        self._whole: dict[str, Whole] = {}
        self._shared: dict[tuple[int, int], tuple[Any, Any, Array]] = {}

    def whole(self, collection: str) -> Whole:
        """All rows of a collection."""
        found = self._whole.get(collection)
        if found is None:
            found = self._whole[collection] = Whole(self, collection)
        return found

    def translated(self, of: Coded, into: Coded) -> Array:
        """The numbers of values in another column of texts, -2 for those that are not there; by value."""
        key = id(of.values), id(into.values)
        found = self._shared.get(key)
        if found is None:
            get = into.index.get
            numbers = np.fromiter((get(value, -2) for value in (*of.values, None)), np.int64, len(of.values) + 1)
            found = self._shared[key] = (of.values, into.values, numbers)  # kept, so that the ids stay theirs
        return found[2]


class Rows:
    """Rows and what was found of them; `at` says where the columns of a name are: `""`, `claim`, a collection."""

    def __init__(self, batch: Batch, count: int) -> None:
        self.batch, self.count = batch, count
        self.found: dict[Any, Any] = {}
        self._at: dict[str, tuple[Whole, Array | None]] = {}

    def at(self, of: str) -> tuple[Whole, Array | None]:
        """The rows of a collection, and the places of these among them; None: they are all of them."""
        found = self._at.get(of)
        if found is None:
            found = self._at[of] = self._places(of)
        return found

    def _places(self, of: str) -> tuple[Whole, Array | None]:
        raise NotImplementedError

    def recall(self, _key: Any) -> Any:
        """What was found of more rows than these; None where nothing was."""
        return None

    def pick(self, places: Array) -> Rows:
        """Some of these rows."""
        return Picked(self, places)

    @property
    def own(self) -> Array:
        """Of pairs: the place of each row among those that were paired."""
        raise NotImplementedError


class Whole(Rows):
    """All rows of a collection."""

    def __init__(self, batch: Batch, collection: str) -> None:
        self.frame, self.collection = batch.frames[collection], collection
        super().__init__(batch, len(self.frame))
        self.claim: Array = self.frame["row"].to_numpy()
        self._columns: dict[str, Values] = {}
        self._sizes: tuple[Array, Array] | None = None

    def column(self, name: str) -> Values:
        """A column of the frame."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = laid(self.frame[name])
        return found

    def _places(self, of: str) -> tuple[Whole, Array | None]:
        if of == "":
            return self, None
        return self.batch.whole("claims"), self.claim

    @property
    def sizes(self) -> tuple[Array, Array]:
        """How many rows each claim has, and where they begin."""
        if self._sizes is None:
            sizes = np.bincount(self.claim, minlength=self.batch.claims)
            self._sizes = sizes, np.cumsum(sizes) - sizes
        return self._sizes


class Picked(Rows):
    """Some rows of others."""

    def __init__(self, rows: Rows, places: Array) -> None:
        super().__init__(rows.batch, len(places))
        self.rows, self.places = rows, places

    def _places(self, of: str) -> tuple[Whole, Array | None]:
        whole, places = self.rows.at(of)
        return whole, self.places if places is None else places[self.places]

    def recall(self, key: Any) -> Any:
        """What was found of the others; None where nothing was."""
        found = self.rows.found.get(key)
        if found is None:
            found = self.rows.recall(key)
        if found is None or found is True or found is False:
            return found
        return found[self.places] if isinstance(found, np.ndarray) else found.at(self.places)

    @property
    def own(self) -> Array:
        """Of pairs: the place of each row among those that were paired."""
        own: Array = self.rows.own[self.places]
        return own


class Pairs(Rows):
    """Pairs of rows and of rows of another collection; `own` are places among the rows, in order."""

    def __init__(self, rows: Rows, other: Whole, own: Array, places: Array) -> None:
        super().__init__(rows.batch, len(own))
        self.rows, self.other, self.places, self._own = rows, other, places, own

    def _places(self, of: str) -> tuple[Whole, Array | None]:
        if of == self.other.collection:
            return self.other, self.places
        whole, places = self.rows.at(of)
        return whole, self._own if places is None else places[self._own]

    @property
    def own(self) -> Array:
        """The place of each row among those that were paired."""
        return self._own
