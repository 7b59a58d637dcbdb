"""Small files in the official layouts, with invented codes and values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from claims.importers.load import Loaded, load
from claims.importers.registry import importer_of
from claims.tables.store import open_tables
from claims.tables.table import Table
from terminology.importers.given import Given


def written(folder: Path, name: str, lines: Sequence[str]) -> Path:
    """A file of these lines, ended as the publisher ends them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes("\r\n".join((*lines, "")).encode("cp1252"))
    return path


def loaded(data: Path, name: str, *paths: Path, **said: object) -> list[Loaded]:
    """Load files as `fhirwright load` does."""
    importer = importer_of(name)
    assert importer is not None
    return load(data, importer, Given(paths, **said))  # type: ignore[arg-type]


def asked(data: Path, table: str, keys: Sequence[str], day: str, value: str) -> object:
    """What the loaded table says on a day."""
    found = open_tables(data)[table]
    return found.value(row(found, keys, day), value)


def row(table: Table, keys: Sequence[str], day: str) -> int:
    """The row of a key on a day, -1 for none."""
    return table.find(keys, pl.Series([day]).str.to_date().to_physical()[0])
