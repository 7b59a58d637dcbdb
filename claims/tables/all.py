"""Every table that rules and prices may ask in a data directory."""

from __future__ import annotations

from pathlib import Path

from claims.tables.own import own_tables
from claims.tables.store import open_tables
from claims.tables.table import Table
from claims.tables.terms import tables_of
from terminology import Terminology


def open_all(dir: Path | str, terminology: Terminology | None = None) -> dict[str, Table]:
    """Our own small tables, those of the loaded code systems, and those of loaded files; the later stand before."""
    made = {} if terminology is None else tables_of(terminology, dir)
    return {**own_tables(), **made, **open_tables(dir)}
