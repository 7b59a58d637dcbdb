"""The parameters of a history: `_since`, `_at`, `_count`, `_sort` and where a page begins.

https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

import msgspec

from fhir_profiles.dates import OPEN_HIGH, OPEN_LOW, interval
from fhir_profiles.errors import Category, FhirError
from server.search.sql import Sql
from server.settings import Settings
from server.store import Version
from server.store.version import DELETE

MOST = 2**31 - 1
FORMS = frozenset({"_format", "_pretty", "_elements"})
"""They say how the answer is written, not what is in it."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a history was asked for: conditions on the newest (`now`) and on older versions (`past`) `v`."""

    count: int
    ascending: bool = False
    now: tuple[Sql, ...] = ()
    past: tuple[Sql, ...] = ()
    after: tuple[int, int] | None = None
    """The time and the resource of the last version on the page before."""
    total: int | None = None
    """How many versions there were when the first page was read."""
    used: tuple[tuple[str, str], ...] = ()

    def cursor(self, last: Version, total: int | None) -> str:
        """The place after a version, as the opaque text of a `next` link."""
        place = msgspec.msgpack.encode((last.updated, last.rid, total))
        return base64.urlsafe_b64encode(place).decode().rstrip("=")


class _Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    updated: int
    rid: int
    total: int | None


def read_asked(query: Iterable[tuple[str, str]], settings: Settings) -> Asked:
    """What the parameters ask for; FhirError for one that is unknown, as nothing in a history could tell of it."""
    count, ascending, after, total = settings.default_count, False, None, None
    now: list[Sql] = []
    past: list[Sql] = []
    used: list[tuple[str, str]] = []
    for name, value in query:
        if not value:
            continue
        match name:
            case "_count":
                count = min(whole(name, value), settings.max_count)
            case "_summary" if value == "count":
                count = 0
            case "_since":
                since = Sql("v.updated >= ?", (_period(name, value)[0],))
                now.append(since)
                past.append(since)
            case "_at":
                low, high = _at(value)
                at = Sql("v.updated < ? AND (v.change <> ? OR v.updated >= ?)", (high, DELETE, low))
                now.append(at)
                past += [at, Sql("v.ended > ?", (low,))]
            case "_sort":
                ascending = _is_ascending(value)
            case "_cursor":
                place = _read_cursor(value)
                after, total = (place.updated, place.rid), place.total
                continue
            case _ if name not in FORMS and name != "_summary":
                raise _unsupported(name)
        used.append((name, value))
    return Asked(
        count=count,
        ascending=ascending,
        now=tuple(now),
        past=tuple(past),
        after=after,
        total=total,
        used=tuple(used),
    )


def whole(name: str, value: str) -> int:
    """A parameter that is a whole number; however large, it is no more than MOST."""
    if not (value.isascii() and value.isdigit() and len(value) < 100):
        raise FhirError.of(Category.INCORRECT, "value", f"{name} must be a whole number that is not negative.")
    return min(int(value), MOST)


def _at(value: str) -> tuple[int, int]:
    """The period in which a version was current: that of the date, or before or after it by prefix."""
    prefix = value[:2] if value[:2].isalpha() else "eq"
    low, high = _period("_at", value[2:] if value[:2].isalpha() else value)
    periods = {
        "eq": (low, high),
        "ge": (low, OPEN_HIGH),
        "gt": (high, OPEN_HIGH),
        "le": (OPEN_LOW, high),
        "lt": (OPEN_LOW, low),
    }
    if prefix not in periods:
        raise FhirError.of(Category.INCORRECT, "value", "_at takes the prefixes eq, ge, gt, le and lt.")
    return periods[prefix]


def _period(name: str, value: str) -> tuple[int, int]:
    try:
        return interval(value.replace(" ", "+"))  # a plus sign that was not percent-encoded arrives as a space
    except (ValueError, IndexError):
        text = f"{name} must be a date or an instant, such as 2026-03-04T10:15:00Z."
        raise FhirError.of(Category.INCORRECT, "value", text) from None


def _is_ascending(value: str) -> bool:
    if value not in ("_lastUpdated", "-_lastUpdated", "none"):
        raise FhirError.of(Category.INCORRECT, "value", "_sort of a history is _lastUpdated or -_lastUpdated.")
    return value == "_lastUpdated"


def _read_cursor(value: str) -> _Place:
    try:
        data = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        place = msgspec.msgpack.decode(data, type=_Place)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        place = None
    if place is None or max(abs(place.updated), abs(place.rid)) > OPEN_HIGH:
        text = "_cursor must come unchanged from the next link of a history. Start again without it."
        raise FhirError.of(Category.INCORRECT, "value", text)
    return place


def _unsupported(name: str) -> FhirError:
    shown = name if name.replace("_", "").isalnum() and name.isascii() and len(name) <= 64 else "(not a name)"
    text = f"A history has no parameter {shown}; it takes _since, _at, _count and _sort."
    return FhirError.of(Category.UNSUPPORTED, "not-supported", text)
