"""The versioned words around a question; a file for each version, told with every decision that rests on it."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).with_name("prompts")


@cache
def prompt(version: str) -> tuple[str, str]:
    """The system text and the template of the user text of a version; KeyError when there is no such version."""
    if version not in versions():
        raise KeyError(version)
    read = tomllib.loads((DIRECTORY / f"{version}.toml").read_text("utf-8"))
    return read["system"].strip(), read["user"].strip()


@cache
def versions() -> tuple[str, ...]:
    """All versions there are, the newest last."""
    names = (path.stem for path in DIRECTORY.glob("adjudicate-*.toml"))
    return tuple(sorted(names, key=lambda name: int(name.rpartition("-")[2])))
