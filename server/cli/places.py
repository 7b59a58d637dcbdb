"""What a command line names must be there: exit code 2 where it is not, the same for every command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

FILE: dict[str, Any] = {"exists": True, "dir_okay": False}
"""Of an argument or option that names a file to read."""

FOLDER: dict[str, Any] = {"exists": True, "file_okay": False}
"""Of one that names a folder to read."""


def _or_stdin(path: Path | None) -> Path | None:
    if path is not None and str(path) != "-" and not path.is_file():
        raise typer.BadParameter(f"There is no file {path}.")
    return path


STREAM: dict[str, Any] = {"callback": _or_stdin}
"""Of one that names a file to read, or standard input by `-`."""

_MAGIC = "*?["


def there(place: str) -> str:
    """A place as it was given, which may be a path or a URI; a wrong command line where it is a path to nothing."""
    path = place.removeprefix("file://")
    if "://" not in path and not any(sign in path for sign in _MAGIC) and not Path(path).exists():
        raise typer.BadParameter(f"There is no file or folder {path}.")
    return place
