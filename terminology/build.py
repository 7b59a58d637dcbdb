"""Make the read-only files of a data directory from the installed sources; what is already there stays as it is."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from terminology.source import Progress, Source
from terminology.store.layout import LAYOUT


def build(dir: Path | str, progress: Progress | None = None) -> list[Path]:
    """Write the files that are missing or have changed, and return those; `progress(what, done, total)` is told.

    Where there are two processors and several files to write, a second process takes half of the work.
    """
    from terminology.icd10.gems import gem_sources  # whoever only reads does not pay for readers and writers
    from terminology.maps import install_map

    _path(dir, "starter").unlink(missing_ok=True)  # once held several editions
    waiting = [source for source in _sources() if _is_due(dir, source)]
    with _shared(dir, waiting) as ours:
        for source in ours:
            install(dir, _stem(source), [source], progress)
    for source in waiting:  # what the other process could not do
        install(dir, _stem(source), [source], progress)
    written = [_path(dir, _stem(source)) for source in waiting]
    written.extend(path for one in gem_sources() if (path := install_map(dir, one, progress)))
    return written


def _sources() -> list[Source]:
    """What the installation carries."""
    from terminology.fragments import fragment_sources
    from terminology.icd10.builtin import package_sources

    return [*package_sources(), *fragment_sources()]


def _stem(source: Source) -> str:
    return f"{source.name}@{source.version}"


def _is_due(dir: Path | str, source: Source) -> bool:
    manifest = _manifest(_path(dir, _stem(source)))
    if manifest.get("source", source.origin) != source.origin:
        return False  # an operator's own file stays
    return bool(manifest.get("fingerprint") != source.fingerprint)


@contextmanager
def _shared(dir: Path | str, waiting: Sequence[Source]) -> Iterator[list[Source]]:
    """The share of this process, while another one writes the rest."""
    large = [source for source in waiting if source.content == "complete"]
    theirs = large[1::2] if (os.cpu_count() or 1) > 1 else []
    if not theirs:
        yield list(waiting)
        return
    command = [sys.executable, "-m", "terminology.build", str(Path(dir).absolute()), *map(_stem, theirs)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:  # noqa: S603
        try:
            yield [source for source in waiting if source not in theirs]
        except BaseException:
            other.kill()
            raise


def main(argv: Sequence[str]) -> int:
    """`python -m terminology.build DIR STEM…`: write some of the files; returns the process exit code."""
    dir, *stems = argv
    for source in _sources():
        if _stem(source) in stems:
            install(dir, _stem(source), [source])
    return 0


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
