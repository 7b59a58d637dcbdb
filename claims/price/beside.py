"""Prices beside the lines that they are of, so that rules can ask what a line is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

COLUMNS = ("allowed", "capped")


def beside(frames: Mapping[str, pl.DataFrame], prices: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The frames with what `Prices.of_frames` says of their lines."""
    return {**frames, "lines": frames["lines"].with_columns(prices[name] for name in COLUMNS)}


def put(records: Iterable[Mapping[str, Any]], prices: Iterable[Sequence[Any]]) -> None:
    """The same for the lines of records; prices are those columns by line."""
    lines = (line for record in records for line in record["lines"])
    for line, values in zip(lines, prices, strict=True):
        line.update(zip(COLUMNS, values, strict=True))
