"""Claims as Polars frames."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from claims.sheet.schema import CLAIM, COLLECTIONS

TYPES: dict[str, Any] = {
    "text": pl.String, "whole": pl.Int64, "number": pl.Float64, "flag": pl.Boolean, "day": pl.Int64,
    "cents": pl.Int64, "texts": pl.List(pl.String), "wholes": pl.List(pl.Int64),
}  # fmt: skip
LISTS = frozenset({"texts", "wholes"})
Wanted = Mapping[str, Collection[str]]
"""Frame → the columns of it that are asked for."""

EVERY: Mapping[str, Mapping[str, str]] = {"claims": CLAIM, **COLLECTIONS}


def frames(records: Sequence[Mapping[str, Any]], wanted: Wanted = EVERY) -> dict[str, pl.DataFrame]:
    """The frames of records whose claims are numbered from 0 in their order."""
    found = {}
    for name, kinds in EVERY.items():
        if wanted.get(name):
            rows = _rows(records, name)
            asked = [column for column in kinds if column in wanted[name]]
            found[name] = pl.DataFrame([series(one, [row[one] for row in rows], kinds[one]) for one in asked])
    return found


def _rows(records: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    if name == "claims":
        return [record["claim"] for record in records]
    return [row for record in records for row in record[name]]


def series(name: str, values: Sequence[Any], kind: str) -> pl.Series:
    """A column of a kind."""
    if kind in LISTS:
        found = Distinct()
        found.extend(values)
        return found.series(name, kind)
    count = len(values)
    if count and values[0] is None and values[-1] is None and values.count(None) == count:
        return pl.Series(name, [None], TYPES[kind]).new_from_index(0, count)
    return pl.Series(name, values, TYPES[kind], strict=False)


class Distinct:
    """A column of lists, of which the same stand in many rows: each once, and numbers of them."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {(): 0}
        self._places: list[int] = []

    def extend(self, values: Iterable[Sequence[Any] | None]) -> None:
        """Add the lists of further rows; what is null is empty."""
        numbers = self._numbers
        for value in values:
            if value:
                key = tuple(value)
                if (number := numbers.get(key)) is None:
                    number = numbers[key] = len(numbers)
                self._places.append(number)
            else:
                self._places.append(0)

    def lists(self) -> list[list[Any]]:
        """One for each row, none of them shared."""
        keys = list(self._numbers)
        return [list(keys[place]) for place in self._places]

    def series(self, name: str, kind: str) -> pl.Series:
        """The lists as Polars has them, which takes joined texts in a hundred times faster than lists."""
        joined = ["\x1f".join(map(str, key)) if key else None for key in self._numbers]
        nothing = pl.Series([[]], dtype=pl.List(pl.String))
        lists = pl.Series(name, joined, dtype=pl.String).str.split("\x1f").fill_null(nothing)
        return lists.cast(TYPES[kind]).gather(np.array(self._places, np.uint32))
