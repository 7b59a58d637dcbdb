"""Open a Claim that is to be written: whom many claims name is read once, and what is said of them is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from claims.sheet.read import MAX_LINES, open_claim
from claims.sheet.shapes import Claim, Party
from claims.x12.elements import Draft, remembered

MOST_KEPT = 4_096
MOST_BYTES = 16_384
"""Of a resource that is kept; a longer one is read each time."""


class Known(Party, eq=False):
    """One whom a Claim contains: the same bytes are one object, by which texts are remembered."""


class _Sent(Claim):
    """A Claim whose contained resources are not read yet."""

    contained: list[msgspec.Raw] = msgspec.field(default_factory=list)  # type: ignore[assignment]


_sent = msgspec.json.Decoder(_Sent)
_party = msgspec.json.Decoder(Party)
_read = lru_cache(maxsize=MOST_KEPT)(msgspec.json.Decoder(Known).decode)
_RECUR = (b'{"resourceType":"Organization"', b'{"resourceType":"Practitioner"')
"""How those begin whom many claims name; patients and coverages, or JSON with blanks, are read each time."""


def open_sent(body: bytes) -> tuple[Claim, dict[str, Any]]:
    """A Claim and what stands beside it, as `claims.sheet.read.open_claim` gives it and with its errors."""
    try:
        claim = _sent.decode(body)
        if claim.resource_type == "Claim" and len(claim.item) <= MAX_LINES:
            near = {}
            for raw in claim.contained:
                found = bytes(raw)
                one = _read(found) if found.startswith(_RECUR) and len(found) <= MOST_BYTES else _party.decode(found)
                near[f"#{one.id}"] = one
            return claim, near
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return open_claim(body)  # a Bundle, or what is refused


def shared(write: Callable[..., str]) -> Callable[..., str]:
    """Write a part about somebody whom many claims contain once; `write` tells of faults by whole elements."""
    once = remembered(write)

    def call(draft: Draft, party: Party, *values: Any) -> str:
        if party.__class__ is Known:
            return once(draft, party, *values, at="")
        return write(draft, party, *values)

    return call
