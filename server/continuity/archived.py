"""Segments of PostgreSQL's log that were archived: which a backup needs to go on from, and which nobody needs any more.

https://www.postgresql.org/docs/current/pgarchivecleanup.html (segments are compared without their timeline)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .manifest import Manifest

LOG = "log"
"""Where segments lie in a backup, and in the archived changes."""

SEEN = "seen"
"""In a run of SQLite's changes: up to when it has looked."""

_SEGMENT = re.compile(r"[0-9A-F]{8}([0-9A-F]{16})(?:\.partial)?")


def first(manifest: Manifest) -> str:
    """The number of the first segment of a backup of its own, as in its name; empty where it has none."""
    names = (entry.path.partition("/") for entry in manifest.files)
    found = (_SEGMENT.fullmatch(name) for place, _, name in names if place == LOG)
    return min((one[1] for one in found if one), default="")


def following(folder: Path, manifest: Manifest) -> list[Path]:
    """What was archived from the beginning of a backup on, and the histories of timelines."""
    if not folder.is_dir():
        return []
    start = first(manifest)
    found = ((path, _SEGMENT.fullmatch(path.name)) for path in sorted(folder.iterdir()))
    return [path for path, one in found if (one[1] >= start if one else path.suffix == ".history")]


def follows(name: str, manifest: Manifest) -> bool:
    """Whether a file of the archived changes, by its path among them, may be needed to go on from a backup."""
    one = _SEGMENT.fullmatch(name.removeprefix(f"{LOG}/"))
    return one is None or one[1] >= first(manifest)


def before(names: Iterable[str], staying: Iterable[Manifest]) -> list[str]:
    """The segments from before the oldest of the backups that stay, which nobody needs."""
    start = min(map(first, staying), default="")
    return [name for name in names if (one := _SEGMENT.fullmatch(name)) and one[1] < start]
