"""What a sig says of a dose that changes: the dose that was, by how much it changes, and doses of alternate days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

Piece = tuple[int, int, str, Any]
"""Start, end, kind and value of a part of a sig."""

_FROM = re.compile(r"\bfrom\s(?:(?:her|his|the|a|an)\s)?(?:(?:current|previous|prior|old|home)\s)?(?:dose\sof\s)?$")
_NOW = re.compile(
    r"(?:→|->|=>|\b(?:increas(?:ed?|ing)|chang(?:ed?|ing)|bump(?:ed)?|(?:up)?titrated?|rais(?:ed?|ing))\s(?:up\s)?to)\s?$"
)
_BY = re.compile(
    r"\b(?:increas|decreas|reduc|lower|titrat|taper|advanc|go|rais)\w*(?:\s\w+){0,2}?\sby\s(?:an?\s(?:additional|further)\s)?$"
)
_REACH = 48
_EVERY_OTHER = {"frequency": 1, "period": 2, "period_unit": "d"}


def is_former(folded: str, start: int) -> bool:
    """Whether "from" stands before what begins at `start`."""
    return _FROM.search(folded, max(0, start - _REACH), start) is not None


def mark_former(folded: str, pieces: Sequence[Piece]) -> list[Piece]:
    """The parts up to the size of a change ("by 10 mg"); a dose that was ("from 40 mg BID to 80 mg") is "former"."""
    kept: list[Piece] = []
    dropped = False
    for start, stop, kind, value in pieces:
        if kind == "amount":
            low = max(0, start - _REACH)
            if _BY.search(folded, low, start):
                break
            dropped = value["to"] != "to" and is_former(folded, start)
            if _NOW.search(folded, low, start) and not _is_step(folded, kept, start):
                kept = [(a, b, "former" if k in ("amount", "frequency") else k, v) for a, b, k, v in kept]
        was = dropped and kind in ("amount", "frequency")
        kept.append((start, stop, "former" if was else kind, value))
    return kept


def _is_step(folded: str, kept: Sequence[Piece], start: int) -> bool:
    """Whether what went before lasts for a while: "for a week, then increase to 50 mg"."""
    return any(p[2] == "duration" for p in kept) or (bool(kept) and "then" in folded[kept[-1][1] : start])


def alternate(parts: dict[str, Any], other: dict[str, Any]) -> None:
    """Let two doses that take turns day by day each be of every other day."""
    timing = other.get("timing") or parts.get("timing") or {}
    if timing.get("period_unit") == "d" and timing.get("frequency") == 1:
        for one in (parts, other):
            one["timing"] = dict(_EVERY_OTHER)
            one.setdefault("frequency", other.get("frequency", "every other day"))
