"""What lies beside the database and must not be lost: events not chained yet, checkpoints, roles, secrets, models.

Never in a backup: the keys that wrap the others, and the private key that signs checkpoints. What can be made again
(terminology, tables of claims, page readings) is not in it either.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.audit.checkpoints import FILE, KEY, PUBLIC
from server.audit.spool import SUFFIX

AUDIT, DATA = "audit", "data"
KEPT = ("roles.toml", "adjudication", "models", "registry", "learning")
"""Of the data directory."""

MOST = 100_000
"""Files beside the database that one backup takes at most."""


@contextmanager
def opened(folder: Path) -> Iterator[dict[str, int]]:
    """The spools of the audit as they are before the database is copied, open: a process may remove one meanwhile."""
    found: dict[str, int] = {}
    try:
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            try:
                found[path.name] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
        yield found
    finally:
        for fd in found.values():
            os.close(fd)


def spools(before: dict[str, int], folder: Path, work: Path) -> Iterator[tuple[str, Path]]:
    """Those spools and newer ones, copied to `work` up to their last event: name in the backup and path of the copy.

    To be asked for after the database was copied: it says how far each was chained, and more does no harm.
    """
    names = {*before, *(path.name for path in folder.glob(f"*{SUFFIX}"))}
    for name in sorted(names):
        try:
            fd = os.dup(before[name]) if name in before else os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        with os.fdopen(fd, "rb") as file:
            file.seek(0)
            kept = file.read()
        zeros = kept.find(b"\0")
        kept = kept[: zeros if zeros >= 0 else len(kept)]
        if kept:
            (copy := work / name).write_bytes(kept)
            yield f"{AUDIT}/{name}", copy


def others(folder: Path, data: Path) -> Iterator[tuple[str, Path]]:
    """The public side of the checkpoints, and what is kept of the data directory: name in the backup and path."""
    for name in (FILE, PUBLIC):
        if (folder / name).is_file():
            yield f"{AUDIT}/{name}", folder / name
    count = 0
    for name in KEPT:
        root = data / name
        paths = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in paths:
            if path.is_file() and path.name != KEY and not path.is_symlink():
                count += 1
                if count > MOST:
                    return
                yield f"{DATA}/{path.relative_to(data)}", path
