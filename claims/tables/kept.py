"""Large tables as they lie in memory, kept on disk: every process maps the same pages and builds nothing (ADR 53)."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from claims.tables.schema import TABLES
from claims.tables.table import Table

LARGE = 100_000
"""Rows from which on a table is kept: below, it is built sooner than it is found."""
_LAYOUT = 1


def kept(dir: Path, name: str, rests: list[Any], make: Callable[[], Table]) -> Table:
    """The table that `make` gives and that rests on `rests`, as it was kept; made and kept where it was not.

    Where the data directory cannot be written it is made each time.
    """
    definition = TABLES[name]
    rests = [_LAYOUT, definition.keys, definition.values, [one.name for one in fields(Table)], rests]
    digest = hashlib.sha256(orjson.dumps(rests, default=str)).hexdigest()[:24]
    folder = dir / "claims" / "kept" / f"{name}-{digest}"
    found = _open(folder, name)
    if found is not None:
        return found
    table = make()
    try:
        _write(folder, table)
    except OSError:
        return table
    return _open(folder, name) or table


def _open(folder: Path, name: str) -> Table | None:
    try:
        about = orjson.loads((folder / "about.json").read_bytes())
        places, ends = (np.load(folder / f"{part}.npy", mmap_mode="r") for part in ("places", "ends"))
        values = pl.read_ipc(folder / "values.arrow")
    except (OSError, ValueError):
        return None
    ids = tuple({text: number for number, text in enumerate(texts)} for texts in about["keys"])
    return Table(TABLES[name], about["release"], values, ids, places, ends)


def _write(folder: Path, table: Table) -> None:
    """Whole or not at all; what was kept of other releases goes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
    try:
        np.save(temporary / "places.npy", table._places)
        np.save(temporary / "ends.npy", table._ends)
        table.values.rechunk().write_ipc(temporary / "values.arrow", compression="uncompressed")
        about = {"release": table.release, "keys": [list(known) for known in table._ids]}
        (temporary / "about.json").write_bytes(orjson.dumps(about))
        for path in temporary.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        temporary.chmod(0o755)
        if not folder.exists():
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in folder.parent.glob(f"{folder.name.rpartition('-')[0]}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
