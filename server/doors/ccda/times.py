"""TS and IVL_TS to FHIR's dates, with no precision and no zone made up (https://hl7.org/fhir/us/ccda/mappingGuidance.html)."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any

from .tree import Element, attribute, find

_TS = re.compile(
    r"(?P<y>\d{4})(?:-?(?P<m>\d\d)(?:-?(?P<d>\d\d)(?:T?(?P<H>\d\d)(?::?(?P<M>\d\d)(?::?(?P<S>\d\d)(?P<f>\.\d+)?)?)?"
    r"\s*(?P<z>Z|[+-]\d\d:?\d\d)?)?)?)?"
)


class Unreadable(ValueError):
    """A time that is none."""


def moment(value: str) -> str | None:
    """`20240305143000-0500` as `2024-03-05T14:30:00-05:00`; None without a value, raises Unreadable for what is none.

    A time of day without a zone is left out, because FHIR asks for one and the document does not tell it; so is an hour
    without its minutes. Seconds that are not told are zero.
    """
    if not value:
        return None
    found = _TS.fullmatch(value.strip())
    if found is None:
        raise Unreadable
    part = found.groupdict()
    try:
        day = date(int(part["y"]), int(part["m"] or 1), int(part["d"] or 1))
        clock = time(int(part["H"] or 0), int(part["M"] or 0), int(part["S"] or 0))
    except ValueError:
        raise Unreadable from None
    if not part["d"]:
        return f"{day:%Y-%m}" if part["m"] else f"{day:%Y}"
    if not (part["M"] and part["z"]):
        return day.isoformat()
    return f"{day.isoformat()}T{clock:%H:%M:%S}{part['f'] or ''}{_zone(part['z'])}"


def _zone(zone: str) -> str:
    if zone == "Z":
        return zone
    sign, digits = zone[0], zone[1:].replace(":", "")
    if int(digits[:2]) > 14 or int(digits[2:]) > 59 or digits > "1400":
        raise Unreadable
    return f"{sign}{digits[:2]}:{digits[2:]}"


def of(node: Element | None, notes: list[str], path: str = ".") -> str | None:
    """The time in the `value` of an element; what is no time is told in `notes`."""
    value = attribute(node, path, "value")
    try:
        return moment(value)
    except Unreadable:
        notes.append("A time that is none was left out.")
        return None


def day(node: Element | None, notes: list[str]) -> str | None:
    """The same as a date."""
    found = of(node, notes)
    return found[:10] if found else None


def span(node: Element | None, notes: list[str]) -> tuple[str | None, str | None]:
    """Beginning and end of an interval; of a single point of time, that one as the beginning."""
    if node is None:
        return None, None
    low, high = of(node, notes, "v:low"), of(node, notes, "v:high")
    start = low or of(node, notes) or of(node, notes, "v:center")
    if start and high and _is_before(high, start):
        notes.append("An interval that ends before it begins lost its end.")
        high = None
    return start, high


def period(node: Element | None, notes: list[str]) -> dict[str, Any]:
    """The same as a Period, empty without either."""
    start, end = span(node, notes)
    return {key: value for key, value in (("start", start), ("end", end)) if value}


def is_open(node: Element | None) -> bool:
    """Whether an interval has an end that is there and not known: it is over, nobody says since when."""
    high = find(node, "v:high")
    return high is not None and not high.get("value") and high.get("nullFlavor") in ("UNK", "ASKU", "NAV")


def _is_before(one: str, other: str) -> bool:
    """Whether the days say that `one` lies before `other`."""
    length = min(len(one[:10]), len(other[:10]))
    return one[:length] < other[:length]
