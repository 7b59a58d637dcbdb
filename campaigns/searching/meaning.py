"""Whether the values of a resource satisfy a search value, read straight from the specification.

https://hl7.org/fhir/R4/search.html#ptypes. Plain and slow on purpose: decimals, Python dates and string functions.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from campaigns.searching.paths import Node

Test = Callable[[list[Node]], bool]
Span = tuple[datetime, datetime]

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
PREFIX = re.compile(r"^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)$", re.DOTALL)
UNITS: dict[str, tuple[str, Decimal]] = {
    **{
        unit: ("mass", Decimal(size))
        for unit, size in {"mg": "1", "g": "1e3", "kg": "1e6", "ug": "1e-3", "pg": "1e-9"}.items()
    },
    **{unit: ("length", Decimal(size)) for unit, size in {"cm": "10", "mm": "1"}.items()},
    **{unit: ("density", Decimal(size)) for unit, size in {"g/dL": "1e6", "mg/dL": "1e3", "ng/mL": "0.1"}.items()},
    **{
        unit: ("one", Decimal(size))
        for unit, size in {"%": "0.01", "{T-score}": "1", "{count}": "1", "{score}": "1"}.items()
    },
    **{unit: ("number", Decimal(size)) for unit, size in {"10*3/uL": "1e3", "10*6/uL": "1e6"}.items()},
}
"""What the units of the resources measure, and their size; a unit that is not here is equal to itself only."""
UCUM = "http://unitsofmeasure.org"


class Unsure(Exception):
    """The specification leaves the case open, or it stands on the very edge of an interval: ask something else."""


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that no backslash escapes."""
    return [re.sub(r"\\(.)", r"\1", part) for part in re.split(rf"(?<!\\){re.escape(separator)}", text)]


def folded(text: str) -> str:
    """A string without case, accents and doubled spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.casefold().lower().split())


# Token


def tokens(nodes: Iterable[Node]) -> list[tuple[str | None, str]]:
    """System and code of each value; a plain code has the system None, which is then not asked for."""
    found: list[tuple[str | None, str]] = []
    for value, kind in nodes:
        if kind == "CodeableConcept":
            found += [(c.get("system"), c["code"]) for c in value.get("coding", ()) if "code" in c]
        elif kind == "Coding" and "code" in value:
            found.append((value.get("system"), value["code"]))
        elif kind in ("Identifier", "ContactPoint") and "value" in value:
            found.append((value.get("system"), value["value"]))
        elif not isinstance(value, dict):
            found.append((None, {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value))
    return found


def token(text: str) -> Test:
    """`code`, `system|code`, `|code` or `system|`."""
    if "|" not in text:
        return lambda nodes: any(code == text for _, code in tokens(nodes))
    system, code = split(text, "|")
    if not code:
        return lambda nodes: any(s == system for s, _ in tokens(nodes))
    return lambda nodes: any((s or "") == system and c == code for s, c in tokens(nodes))


def token_in(pairs: frozenset[tuple[str, str]]) -> Test:
    """A code that is in a set of systems and codes."""
    return lambda nodes: any(pair in pairs for pair in tokens(nodes))


def of_type(text: str) -> Test:
    """`system|code|value` of an Identifier."""
    system, code, written = split(text, "|")

    def holds(nodes: list[Node]) -> bool:
        for value, kind in nodes:
            if kind == "Identifier" and value.get("value") == written:
                codings = value.get("type", {}).get("coding", ())
                if any(c.get("system") == system and c.get("code") == code for c in codings):
                    return True
        return False

    return holds


def texts_of(nodes: Iterable[Node]) -> list[str]:
    """What a person reads of a code, an identifier's type or a reference."""
    found: list[str | None] = []
    for value, kind in nodes:
        if kind == "CodeableConcept":
            found += [value.get("text"), *(c.get("display") for c in value.get("coding", ()))]
        elif kind in ("Coding", "Reference"):
            found.append(value.get("display"))
        elif kind == "Identifier":
            found.append(value.get("type", {}).get("text"))
    return [text for text in found if text]


def shown(text: str) -> Test:
    """What a person reads starts with the text."""
    plain = folded(text)
    return lambda nodes: any(folded(one).startswith(plain) for one in texts_of(nodes))


# String

_PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
}


def strings(nodes: Iterable[Node]) -> list[str]:
    """The strings of each value: each part of a name or an address is one."""
    found: list[str] = []
    for value, kind in nodes:
        if kind in _PARTS:
            for name in _PARTS[kind]:
                part = value.get(name, [])
                found += part if isinstance(part, list) else [part]
        elif isinstance(value, str):
            found.append(value)
        elif kind == "CodeableConcept":
            raise Unsure
    return found


def string(text: str, modifier: str | None) -> Test:
    """Starts with, holds (`contains`) or is (`exact`)."""
    written = re.sub(r"\\(.)", r"\1", text)
    if modifier == "exact":
        return lambda nodes: written in strings(nodes)
    plain = folded(written)
    if modifier == "contains":
        return lambda nodes: any(plain in folded(one) for one in strings(nodes))
    return lambda nodes: any(folded(one).startswith(plain) for one in strings(nodes))


# Date


@cache
def span(text: str) -> Span:
    """From when to when a date of any precision lasts, the end not counted; without a zone it is UTC."""
    if len(text) == 4:
        return datetime(int(text), 1, 1, tzinfo=UTC), datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    if len(text) == 7:
        start = datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC)
        return start, (start + timedelta(days=32)).replace(day=1)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    if len(text) == 10:
        return moment, moment + timedelta(days=1)
    clock = re.sub(r"(Z|[+-]\d\d:\d\d)$", "", text.partition("T")[2])
    if "." in clock:
        return moment, moment + timedelta(microseconds=10 ** (6 - len(clock.partition(".")[2])))
    return moment, moment + timedelta(seconds=1 if clock.count(":") == 2 else 60)


def spans(nodes: Iterable[Node]) -> list[Span]:
    """The interval of each date; a Period may be open."""
    found = []
    for value, kind in nodes:
        if kind == "Period":
            if "start" not in value and "end" not in value:
                continue
            low = span(value["start"])[0] if "start" in value else FIRST
            found.append((low, span(value["end"])[1] if "end" in value else LAST))
        elif kind in ("date", "dateTime", "instant"):
            found.append(span(value))
        else:
            raise Unsure
    return found


def _compare(prefix: str, low: Any, high: Any, first: Any, last: Any) -> bool:
    """Whether the value [first, last) satisfies a prefix with [low, high)."""
    inside = low <= first and last <= high
    match prefix:
        case "eq":
            return bool(inside)
        case "ne":
            return not inside
        case "gt":
            return bool(last > high)
        case "lt":
            return bool(first < low)
        case "ge":
            return bool(last > high or inside)
        case "le":
            return bool(first < low or inside)
        case "sa":
            return bool(first >= high)
        case "eb":
            return bool(last <= low)
    return bool(first < high and last > low)


def date(text: str) -> Test:
    """A date with its prefix."""
    prefix, written = PREFIX.fullmatch(text).groups()  # type: ignore[union-attr]
    low, high = span(written)

    def holds(nodes: list[Node], at: float = 0) -> bool:
        first, last = low, high
        if prefix == "ap":
            around = abs(datetime.fromtimestamp(time.time() + at, UTC) - low) / 10
            first, last = low - around, high + around
        return any(_compare(prefix or "eq", first, last, *one) for one in spans(nodes))

    def sure(nodes: list[Node]) -> bool:
        if holds(nodes, -60) is not holds(nodes, 600):
            raise Unsure
        return holds(nodes)

    return sure if prefix == "ap" else holds


# Number and quantity


def _precise(text: str) -> tuple[Decimal, Decimal, Decimal]:
    exact = Decimal(text)
    half = Decimal((0, (5,), int(exact.as_tuple().exponent) - 1))
    return exact, exact - half, exact + half


def _measures(prefix: str | None, text: str) -> Callable[[Decimal], bool]:
    exact, low, high = _precise(text)
    if prefix == "ap":
        low, high = exact - abs(exact) / 10, exact + abs(exact) / 10

    def holds(value: Decimal) -> bool:
        if prefix in (None, "eq", "ne", "ap"):
            edges = (low, high) if prefix == "ap" else (high,)
            if any(abs(value - edge) < Decimal("1e-9") * max(abs(edge), 1) for edge in edges):
                raise Unsure
            return (low <= value < high) is not (prefix == "ne")
        near = abs(value - exact) < Decimal("1e-9") * max(abs(exact), 1) and value != exact
        if near:
            raise Unsure
        return {
            "gt": value > exact,
            "lt": value < exact,
            "ge": value >= exact,
            "le": value <= exact,
            "sa": value > exact,
            "eb": value < exact,
        }[str(prefix)]

    return holds


def number(text: str) -> Test:
    """A number with its prefix."""
    prefix, written = PREFIX.fullmatch(text).groups()  # type: ignore[union-attr]
    holds = _measures(prefix, written)

    def test(nodes: list[Node]) -> bool:
        if any(kind not in ("decimal", "integer", "positiveInt", "unsignedInt") for _, kind in nodes):
            raise Unsure
        return any(holds(Decimal(str(value))) for value, _ in nodes)

    return test


def quantity(text: str) -> Test:
    """`number`, `number|system|code` or `number||code`; coded masses are compared in one unit."""
    prefix, rest = PREFIX.fullmatch(text).groups()  # type: ignore[union-attr]
    parts = split(rest, "|")
    holds = _measures(prefix, parts[0])
    system, code = (parts[1], parts[2]) if len(parts) == 3 else ("", "")

    def one(value: dict[str, Any]) -> bool:
        if "value" not in value:
            return False
        if "comparator" in value:
            raise Unsure
        stored = Decimal(str(value["value"]))
        if code and system:
            if value.get("system") != system:
                return False
            if value.get("code") != code:
                kind, size = UNITS.get(code, (code, Decimal(1)))
                other, factor = UNITS.get(value.get("code", ""), ("", Decimal(1)))
                if system != UCUM or kind != other:
                    return False
                stored = stored * factor / size
        elif code and code not in (value.get("code"), value.get("unit")):
            return False
        return holds(stored)

    def test(nodes: list[Node]) -> bool:
        kinds = ("Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity")
        if any(kind not in kinds for _, kind in nodes):
            raise Unsure
        return any(one(value) for value, _ in nodes)

    return test


# URI


def uri(text: str, modifier: str | None) -> Test:
    """Equal, at or below, at or above."""
    if modifier == "below":
        return lambda nodes: any(v == text or v.startswith(text.rstrip("/") + "/") for v, _ in nodes)
    if modifier == "above":
        return lambda nodes: any(v == text or text.startswith(v.rstrip("/") + "/") for v, _ in nodes)
    return lambda nodes: any(v == text for v, _ in nodes)


# Reference


def targets(nodes: Iterable[Node], base_url: str) -> list[str]:
    """`Type/id` of what is referred to here, or the URL as it is written."""
    found = []
    for value, kind in nodes:
        written = value.get("reference", "") if kind == "Reference" else value
        if not isinstance(written, str) or not written or written.startswith("#"):
            continue
        written = written.removeprefix(f"{base_url}/").partition("/_history/")[0]
        found.append(written)
    return found
