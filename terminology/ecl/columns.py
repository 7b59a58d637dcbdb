"""The hierarchy and the attributes of an edition as columns, written once into its file, for questions about sets.

`link` holds them by name: parent, last and active by id, child and above (further parents) row by row. `attribute`
holds the relationships of one type row by row, `concrete` those to values. Numbers are uint32, groups uint16, active
uint8.
"""

from __future__ import annotations

import json
import sqlite3
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

TABLES = """
CREATE TABLE link (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE attribute (type TEXT PRIMARY KEY, sources BLOB NOT NULL, targets BLOB NOT NULL, groups BLOB NOT NULL);
CREATE TABLE concrete (type TEXT PRIMARY KEY, sources BLOB NOT NULL, groups BLOB NOT NULL, "values" TEXT NOT NULL);
"""
_ROWS = (
    """SELECT type, concept, target, "group" FROM relation WHERE typeof(target) {} 'integer' ORDER BY type, concept"""
)

Numbers = NDArray[np.uint32]


def write_columns(db: sqlite3.Connection) -> None:
    """Write the columns of a file whose concepts, further parents and relations are written."""
    for statement in TABLES.strip().split(";\n"):
        db.execute(statement)
    rows = db.execute("SELECT coalesce(parent, 0), last, active FROM concept ORDER BY id")
    by_id = np.fromiter(rows, dtype=[("parent", "<u4"), ("last", "<u4"), ("active", "u1")])
    edges = np.fromiter(db.execute("SELECT concept, parent FROM edge"), dtype=[("child", "<u4"), ("above", "<u4")])
    for table in (by_id, edges):
        for name in table.dtype.names or ():
            db.execute("INSERT INTO link VALUES (?,?)", (name, np.ascontiguousarray(table[name]).tobytes()))
    layout = [("concept", "<u4"), ("target", "<u4"), ("group", "<u2")]
    for type_, of_type in groupby(db.execute(_ROWS.format("=")).fetchall(), key=lambda row: row[0]):
        found = np.fromiter((row[1:] for row in of_type), dtype=layout)
        columns = (np.ascontiguousarray(found[name]).tobytes() for name, _ in layout)
        db.execute("INSERT INTO attribute VALUES (?,?,?,?)", (type_, *columns))
    for type_, of_type in groupby(db.execute(_ROWS.format("<>")).fetchall(), key=lambda row: row[0]):
        _, sources, values, groups = zip(*of_type, strict=True)
        blobs = np.array(sources, dtype="<u4").tobytes(), np.array(groups, dtype="<u2").tobytes()
        db.execute("INSERT INTO concrete VALUES (?,?,?,?)", (type_, *blobs, json.dumps(values)))


def column(blob: bytes, kind: str = "<u4") -> NDArray[Any]:
    """A column as it was written."""
    return np.frombuffer(blob, dtype=kind)
