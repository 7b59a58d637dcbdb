"""Records as Polars frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import polars as pl

from claims.sheet.schema import CLAIM, COLLECTIONS

TYPES: dict[str, Any] = {
    "text": pl.String, "whole": pl.Int64, "number": pl.Float64, "flag": pl.Boolean, "day": pl.Int64,
    "cents": pl.Int64, "texts": pl.List(pl.String), "wholes": pl.List(pl.Int64),
}  # fmt: skip


def frames(
    records: Sequence[dict[str, Any]], wanted: Mapping[str, Collection[str]] | None = None
) -> dict[str, pl.DataFrame]:
    """The frames of records whose claims are numbered from 0 in their order.

    `wanted` names the frames and columns that are asked for, where not all are.
    """
    found = {}
    for name, columns in {"claims": CLAIM, **COLLECTIONS}.items():
        asked = columns if wanted is None else wanted.get(name, ())
        if asked:
            rows = [record["claim"] for record in records] if name == "claims" else _rows(records, name)
            found[name] = _frame(rows, {column: kind for column, kind in columns.items() if column in asked})
    return found


def _rows(records: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [row for record in records for row in record[name]]


def _frame(rows: list[dict[str, Any]], columns: Mapping[str, str]) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema={name: TYPES[kind] for name, kind in columns.items()})
    one, *more = columns
    picked = map(itemgetter(one, *more), rows) if more else ((row[one],) for row in rows)
    values = zip(*picked, strict=True)  # row by row, as they lie in memory, is twice as fast as column by column
    return pl.DataFrame([_series(name, column, columns[name]) for name, column in zip(columns, values, strict=True)])


def _series(name: str, values: Sequence[Any], kind: str) -> pl.Series:
    if kind == "texts":
        return _split(name, ["\x1f".join(v) if v else None for v in values])
    if kind == "wholes":
        return _split(name, ["\x1f".join(map(str, v)) if v else None for v in values]).cast(TYPES[kind])
    return pl.Series(name, values, dtype=TYPES[kind], strict=False)


def _split(name: str, joined: list[str | None]) -> pl.Series:
    """Lists from joined texts, which Polars takes in a hundred times faster than lists."""
    lists = pl.Series(name, joined, dtype=pl.String).str.split("\x1f")
    return lists.fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
