"""What Medicare's fee schedules allow for each line, to the cent, or why that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from claims.price.anaesthesia import anaesthesia
from claims.price.ask import Columns, Loaded, of_frames, of_record
from claims.price.exact import Array
from claims.price.lines import ANAESTHESIA, DRUG, LABORATORY, PHYSICIAN, Lines, lines
from claims.price.physician import physician
from claims.price.schedule import Schedule
from claims.price.shares import shares
from claims.price.sums import Sums
from claims.price.where import Where, where
from claims.tables.table import Table

TABLES = (
    "rvu", "gpci", "zip", "factor", "pos", "anaesthesia", "anaesthesia_factor", "drug_price", "lab_price", "registered"
)  # fmt: skip
"""What prices rest on."""

Frames = Mapping[str, pl.DataFrame]


def price(frames: Frames, tables: Mapping[str, Table]) -> pl.DataFrame:
    """The prices of all lines; see `Prices.of_frames`."""
    return Prices(tables).of_frames(frames)


@dataclass(frozen=True)
class Prices:
    """Loaded tables, laid out for pricing once; keep it for as long as the tables."""

    tables: Mapping[str, Table]

    @cached_property
    def releases(self) -> dict[str, str]:
        """The loaded tables that prices rest on, with their releases."""
        return {name: self.tables[name].release for name in TABLES if name in self.tables}

    @cached_property
    def _loaded(self) -> Loaded:
        return Loaded(self.tables)

    @cached_property
    def _schedule(self) -> Schedule | None:
        return Schedule(self._loaded) if "rvu" in self.tables else None

    def of_frames(self, frames: Frames) -> pl.DataFrame:
        """A row for each line, in order: see docs/claims.md for the columns.

        Money is in cents. `allowed` is null where the line is not priced, and `why` is then a key of REASONS.
        """
        found = self._sums(of_frames(frames)).frame()
        return pl.DataFrame([frames["lines"]["row"], frames["lines"]["seq"], *found.get_columns()])

    def of_record(self, record: Mapping[str, Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
        """Some columns of the same for each line of one claim."""
        columns = self._sums(of_record(record)).columns()
        return list(zip(*(columns[name].listed() for name in names), strict=True))

    def _sums(self, asked_for: Columns) -> Sums:
        at = where(asked_for, self._loaded)
        asked = lines(asked_for, self._loaded, self._schedule, at)
        parts = shares(asked, self._schedule)
        self._places(asked, at)
        asleep = anaesthesia(asked, self._loaded, at)
        done = None if self._schedule is None else physician(asked, self._schedule, at)
        listed = self._listed(asked)
        return Sums(asked_for, self._schedule, asked, at, parts, asleep, done, listed)

    def _places(self, asked: Lines, at: Where) -> None:
        """Refuse lines whose place, locality or factor is not known."""
        placed = (asked.method == PHYSICIAN) | (asked.method == ANAESTHESIA)
        doctor = asked.method == PHYSICIAN
        loaded = self.tables.keys()
        for name, lines_, missing, reason in (
            ("pos", doctor, at.facility < 0, "pos"),
            ("zip", placed, ~at.has_zip, "zip"),
            ("zip", placed, at.place < 0, "locality"),
            ("gpci", doctor, at.gpci[at.place] < 0, "gpci"),
            ("factor", doctor, at.factor <= 0, "factor"),
        ):
            asked.refuse(lines_ & missing, reason if name in loaded else f"{name}-not-loaded")

    def _listed(self, asked: Lines) -> Array:
        """The price of one unit of drugs and laboratory tests, in thousandths of a dollar."""
        found = np.zeros(len(asked.why), np.int64)
        for method, name, column, scale in ((DRUG, "drug_price", "price", 1), (LABORATORY, "lab_price", "price", 10)):
            mine = asked.method == method
            if mine.any():
                found[mine] = self._loaded.numbers(name, column)[asked.other[mine]] * scale
        return found
