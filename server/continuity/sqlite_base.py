"""A copy of a SQLite database while others write to it, by its own backup interface (https://sqlite.org/backup.html)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from fhir_profiles.errors import Category, FhirError

LOCK_SECONDS = 30.0
NAME = "database.db"


def copy(source: Path, target: Path) -> None:
    """Copy the database as it is at one moment; writers go on. What they commit meanwhile is not in it."""
    if not source.is_file():
        raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no database to back up.")
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=LOCK_SECONDS)) as live,
        closing(sqlite3.connect(target, isolation_level=None)) as made,
    ):
        live.execute("PRAGMA cache_size=-32768")
        made.execute("PRAGMA synchronous=OFF")  # the file is put on the disk as a whole, below
        live.backup(made)  # in one step: the reading transaction sees one moment
    make_single(target)


def make_single(path: Path) -> None:
    """Have a copy in its one file, without a log beside it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=DELETE")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sound(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with the pages of a file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as made:
        return [row[0] for row in made.execute("PRAGMA quick_check(1)")] == ["ok"]


class Copy:
    """Reads a copy that nobody writes to."""

    def __init__(self, path: Path) -> None:
        self._raw = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def __call__(self, sql: str) -> Iterable[Sequence[Any]]:
        """The rows of a SELECT."""
        return self._raw.execute(sql)

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()
