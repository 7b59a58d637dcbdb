"""The small tables that candidates and rules look things up in; all are data files beside this module."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> Any:
    """A JSON table of `data/`, read once."""
    return json.loads((files("extractors.coding") / "data" / f"{name}.json").read_text("utf-8"))


@cache
def _chronic() -> tuple[str, ...]:
    return tuple(table("status")["chronic"])


def chronic(code: str) -> bool:
    """True for conditions that do not pass: in a past history they are still there."""
    return code.startswith(_chronic())


def other_meaning(phrase: str, after: str) -> bool:
    """True when what follows gives an abbreviation another meaning: CVA tenderness is no stroke."""
    words = table("status")["not_before"].get(phrase)
    return bool(words) and re.match(words, after.lower()) is not None


def history_of(code: str) -> str | None:
    """The Z code (or I25.2) for a past condition of this code; None when there is no certain one."""
    past: dict[str, str] = table("status")["history"]
    for end in range(len(code), 2, -1):
        if found := past.get(code[:end].rstrip(".")):
            return found
    return None
