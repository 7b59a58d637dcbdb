"""Rows of Parquet as JSON and lines of JSON as Parquet (https://parquet.apache.org/docs/file-format/)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from fhir_profiles.errors import Category, FhirError

WHOLE = ("resource", "body", "json")
"""A column of text by this name is the item itself; without one, the whole row is, as a JSON object."""
PART = 50_000
"""Rows of a file of the output."""
_READ = 5_000


def rows(path: Path) -> Iterator[bytes]:
    """Each row as one line of JSON. FhirError where the file is no Parquet."""
    try:
        scan = pl.scan_parquet(path)
        names = scan.collect_schema().names()
        count = int(scan.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FhirError.of(Category.INCORRECT, "structure", "A file of the input is no sound Parquet") from error
    whole = next((name for name in WHOLE if name in names), None)
    for first in range(0, count, _READ):
        frame = scan.slice(first, _READ).collect()
        if whole is None:
            yield from (orjson.dumps(_plain(row)) for row in frame.iter_rows(named=True))
        else:
            yield from (_line(value) for value in frame[whole])


def _line(value: Any) -> bytes:
    body = value if isinstance(value, bytes) else str(value or "").encode()
    return body.replace(b"\r", b" ").replace(b"\n", b" ").strip()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what is absent and with bytes as text: JSON has neither."""
    return {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        for name, value in row.items()
        if value is not None
    }


def parquet(lines: Sequence[bytes], columns: dict[str, pl.DataType]) -> bytes:
    """Lines of JSON as one file of Parquet; what is nested stays JSON, as text. The same lines give the same bytes."""
    values: dict[str, list[Any]] = {name: [] for name in columns}
    for line in lines:
        row = orjson.loads(line)
        for name, column in values.items():
            value = row.get(name)
            column.append(orjson.dumps(value).decode() if isinstance(value, dict | list) else value)
    frame = pl.DataFrame([pl.Series(name, values[name], dtype=kind, strict=False) for name, kind in columns.items()])
    file = BytesIO()
    frame.write_parquet(file, row_group_size=PART)
    return file.getvalue()
