"""What a run stored, read from the answer to its transaction Bundle, and what it replaced."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from extractors.emit.bundle import SHARED


def references(answer: bytes) -> list[str]:
    """`Type/id` of every resource that the transaction wrote or found, in its order."""
    found = []
    for entry in orjson.loads(answer).get("entry") or ():
        response = entry.get("response") or {}
        location = response.get("location")
        if location:
            found.append("/".join(location.split("/_history/")[0].split("/")[-2:]))
    return list(dict.fromkeys(found))


def replaced(previous: Sequence[str], now: Sequence[str]) -> list[str]:
    """Results of the run before that this one no longer yields; people are shared with others and stay."""
    kept = set(now)
    return [ref for ref in previous if ref not in kept and ref.partition("/")[0] not in SHARED]
