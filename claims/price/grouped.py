"""The group of a stay beside the claim that names one, so that rules can compare them (42 CFR 412.60)."""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import cache
from threading import Lock
from typing import Any

from claims.price.stay import Stays

_LOCK = Lock()
_CLOSING = ExitStack()
atexit.register(_CLOSING.close)


@cache
def _stays() -> Stays:
    return _CLOSING.enter_context(Stays())


def put_groups(records: Iterable[Mapping[str, Any]]) -> None:
    """Set `grouped` of inpatient claims that name a DRG; it stays null where the grouper is missing or finds none."""
    for record in records:
        claim = record["claim"]
        if claim["inpatient"] and claim["drg"] is not None:
            with _LOCK:
                found = _stays().group(record)
            claim["grouped"] = None if found.drg is None else f"{found.drg:03d}"
