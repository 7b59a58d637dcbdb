"""Make the read-only files of a data directory from the installed sources; what is already there stays as it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from terminology.source import Progress, Source
from terminology.store.layout import LAYOUT


def build(dir: Path | str, progress: Progress | None = None) -> list[Path]:
    """Write the files that are missing or have changed, and return those; `progress(what, done, total)` is told."""
    from terminology.fragments import fragment_sources  # whoever only reads does not pay for readers and writers
    from terminology.icd10.builtin import package_sources
    from terminology.icd10.gems import gem_sources
    from terminology.maps import install_map

    written: list[Path] = []
    _path(dir, "starter").unlink(missing_ok=True)  # once held several editions
    for source in (*package_sources(), *fragment_sources()):
        stem = f"{source.name}@{source.version}"
        if _manifest(_path(dir, stem)).get("source", source.origin) != source.origin:
            continue  # an operator's own file stays
        if path := install(dir, stem, [source], progress):
            written.append(path)
    written.extend(path for one in gem_sources() if (path := install_map(dir, one, progress)))
    return written


def install(
    dir: Path | str,
    stem: str,
    sources: Sequence[Source],
    progress: Progress | None = None,
) -> Path | None:
    """Write the file of one edition unless it already holds exactly that; the path when it was written."""
    (source,) = sources
    path = _path(dir, stem)
    if _manifest(path).get("fingerprint") == source.fingerprint:
        return None
    from terminology.store.writer import write

    write(path, source, progress)
    return path


def _path(dir: Path | str, stem: str) -> Path:
    return Path(dir) / "terminology" / f"{stem}.sqlite"


def _manifest(path: Path) -> dict[str, Any]:
    """What a file says of itself; empty where it is missing, damaged or of another layout."""
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
                return {}
            return {key: json.loads(value) for key, value in db.execute("SELECT key, value FROM manifest")}
    except sqlite3.DatabaseError:
        return {}
