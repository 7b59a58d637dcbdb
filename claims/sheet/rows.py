"""What the values of a row are called, by collection, and which of them stand together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims.sheet.adjustments import ADJUSTMENTS
from claims.sheet.frames import EVERY, LISTS
from claims.sheet.lines import LINES
from claims.sheet.parts import DIAGNOSES, INFOS, INSURANCES, PROCEDURES, TEAM
from claims.sheet.reading import Layout, Values
from claims.sheet.schema import HISTORY
from claims.sheet.whole import CLAIMS

LAYOUTS: dict[str, Layout] = {
    "claims": CLAIMS,
    "lines": LINES,
    "diagnoses": DIAGNOSES,
    "team": TEAM,
    "procedures": PROCEDURES,
    "infos": INFOS,
    "insurances": INSURANCES,
    "adjustments": ADJUSTMENTS,
    "history": tuple(HISTORY),
}
"""Collection → the names of its values, in the order of those of a row; a tuple of names is a tuple of values, which
many rows have alike."""

NAMES: dict[str, tuple[str, ...]] = {
    collection: tuple(name for part in layout for name in ((part,) if isinstance(part, str) else part))
    for collection, layout in LAYOUTS.items()
}
"""Collection → the names of its values."""

Rows = dict[str, list[Values]]
"""Collection → rows."""


def named(collection: str, values: Values) -> dict[str, Any]:
    """The values of a row by name; lists are its own."""
    found: dict[str, Any] = {}
    for part, value in zip(LAYOUTS[collection], values, strict=True):
        if isinstance(part, str):
            found[part] = value
        else:
            found.update(zip(part, value, strict=True))
    for name in _LISTS[collection]:
        found[name] = list(found[name] or ())
    return found


def laid(collection: str, row: Mapping[str, Any]) -> Values:
    """The row of values by name."""
    kinds = EVERY[collection]

    def one(name: str) -> Any:
        return tuple(row[name] or ()) if kinds[name] in LISTS else row[name]

    return tuple([one(part) if isinstance(part, str) else tuple(map(one, part)) for part in LAYOUTS[collection]])


_LISTS = {name: [one for one, kind in kinds.items() if kind in LISTS] for name, kinds in EVERY.items()}
