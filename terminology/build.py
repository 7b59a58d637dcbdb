"""Make the read-only files of a data directory from the installed sources; what is already there stays as it is."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from terminology.fragments import fragment_sources
from terminology.icd10cm import package_sources
from terminology.source import Progress, Source
from terminology.writer import LAYOUT, write


def build(dir: Path | str, progress: Progress | None = None) -> list[Path]:
    """Write the files that are missing or have changed, and return those; `progress(what, done, total)` is told."""
    grouped: defaultdict[str, list[Source]] = defaultdict(list)
    for source in (*package_sources(), *fragment_sources()):
        stem = f"{source.name}@{source.version}" if source.content == "complete" else "starter"
        if source.content == "fragment" or not _fingerprints(_path(dir, stem)):  # an operator's own file stays
            grouped[stem].append(source)
    return [p for stem, sources in grouped.items() if (p := install(dir, stem, sources, progress))]


def install(
    dir: Path | str,
    stem: str,
    sources: list[Source],
    progress: Progress | None = None,
) -> Path | None:
    """Write one file unless it already holds exactly these sources; the path when it was written."""
    path = _path(dir, stem)
    if _fingerprints(path) == {s.fingerprint for s in sources}:
        return None
    write(path, sources, progress)
    return path


def _path(dir: Path | str, stem: str) -> Path:
    return Path(dir) / "terminology" / f"{stem}.sqlite"


def _fingerprints(path: Path) -> set[str]:
    if not path.exists():
        return set()
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
                return set()
            return {row[0] for row in db.execute("SELECT fingerprint FROM edition")}
    except sqlite3.DatabaseError:
        return set()
