"""Records as Polars frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from claims.sheet.schema import CLAIM, COLLECTIONS, Columns

TYPES: dict[str, Any] = {
    "text": pl.String, "whole": pl.Int64, "number": pl.Float64, "flag": pl.Boolean, "day": pl.Int64,
    "cents": pl.Int64, "texts": pl.List(pl.String), "wholes": pl.List(pl.Int64),
}  # fmt: skip


def frames(records: Sequence[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    """The frames of records whose claims are numbered from 0 in their order."""
    found = {"claims": _frame([record["claim"] for record in records], CLAIM)}
    for name, columns in COLLECTIONS.items():
        found[name] = _frame([row for record in records for row in record[name]], columns)
    return found


def _frame(rows: list[dict[str, Any]], columns: Columns) -> pl.DataFrame:
    return pl.DataFrame(
        {
            name: pl.Series(name, [row[name] for row in rows], dtype=TYPES[kind], strict=False)
            for name, kind in columns.items()
        }
    )
