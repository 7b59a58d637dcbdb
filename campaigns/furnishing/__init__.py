"""Data directories of campaigns and tests: a new one has the terminology of another at once."""

from __future__ import annotations

from pathlib import Path

SHARED = ("terminology", "claims/terms")
"""What is made of published code systems: nobody's data, and the same for all; making it takes seconds."""


def furnish(data: Path, made: Path) -> Path:
    """The data directory `data`, made where it is missing, with what is shared of the directory `made`."""
    for name in SHARED:
        if (made / name).is_dir():
            (data / name).parent.mkdir(parents=True, exist_ok=True)
            (data / name).symlink_to((made / name).resolve())
    return data
