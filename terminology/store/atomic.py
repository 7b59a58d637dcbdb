"""Write a file so that others see the old one or the whole new one, whatever happens (https://man7.org/linux/man-pages/man2/rename.2.html).

A builder locks its temporary file as long as it lives: what is not locked was left by one that died, and is removed.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SUFFIX = ".building"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well; otherwise nothing is left of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(path.parent)
    handle, temporary = _locked(path)
    try:
        yield temporary
        os.fsync(handle)
        temporary.chmod(0o644)
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def clear_leftovers(folder: Path) -> None:
    """Remove the temporary files of builders that no longer live."""
    for left in folder.glob(f".*{_SUFFIX}"):
        with suppress(OSError):  # its builder lives, or another process was faster
            handle = os.open(left, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(handle)


def _locked(path: Path) -> tuple[int, Path]:
    """A new locked file. Between its making and the lock another builder may take it for a leftover: then again."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=_SUFFIX)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if Path(name).exists():
            return handle, Path(name)
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
