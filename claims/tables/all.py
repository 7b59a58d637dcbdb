"""Every table that rules and prices may ask in a data directory."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from claims.tables.own import own_tables
from claims.tables.store import open_tables
from claims.tables.table import Table
from claims.tables.terms import tables_of
from terminology import Terminology


def open_all(
    dir: Path | str, terminology: Terminology | None = None, names: Collection[str] | None = None
) -> dict[str, Table]:
    """Our own small tables, those of the loaded code systems, and those of loaded files; the later stand before.

    With `names` only these are opened.
    """
    own = {name: table for name, table in own_tables().items() if names is None or name in names}
    made = {} if terminology is None else tables_of(terminology, dir, names)
    return {**own, **made, **open_tables(dir, names)}
