"""The rows of composite parameters and of positions (https://hl7.org/fhir/R4/search.html#composite).

The first code, text or reference of a composite leads its row; a range stands in `lo` and `hi`. When the second part is
a code too, `lo` and `hi` are a number made of it, so that both together are one place in the index.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from fhir_profiles.extract import Index
from fhir_profiles.extract.composite import parts_of
from fhir_profiles.extract.rows import Part
from server.store.keys import indexed, system_key

from .measure import bounds, in_base_unit

Word = tuple[str, int]


@lru_cache(maxsize=4096)
def number_of(text: str) -> float:
    """A number for a text, exact as a double."""
    return float(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 11)


def target_of(kind: str | None, id_: str | None, url: str | None, base_url: str) -> str:
    """What a reference points to: `Type/id` here, a URL elsewhere."""
    if url is None:
        return f"{kind}/{id_}"
    if base_url and url.startswith(base_url) and url[len(base_url) : len(base_url) + 1] == "/":
        return url[len(base_url) + 1 :]
    return url


@cache
def kinds_of(resource_type: str, code: str) -> tuple[str, ...]:
    """The types of the parts of a composite."""
    return tuple(parameter.type for parameter in parts_of(resource_type, code))


def composite_rows(
    resource_type: str, params: Mapping[str, int], found: Index, base_url: str
) -> Iterator[tuple[Any, ...]]:
    """The rows of a resource."""
    for code, latitude, longitude in found.positions:
        yield position_row(params[code], latitude, longitude)
    for name, parts in found.composites:
        if any(str(part[0]).endswith(":identifier") for part in parts):
            continue  # a logical reference leads to nothing that could be asked for
        yield from _rows(params, name, tuple(zip(kinds_of(resource_type, name), parts, strict=True)), base_url)


def position_row(param: int, latitude: float, longitude: float) -> tuple[Any, ...]:
    """A place as a point of the unit sphere: z, by which it is found, in the range; x and y beside it."""
    x, y, z = on_sphere(latitude, longitude)
    return (param, "", 0, z, z, None, None, None, x, y)


def on_sphere(latitude: float, longitude: float) -> tuple[float, float, float]:
    """The point of the unit sphere at these degrees."""
    up, around = math.radians(latitude), math.radians(longitude)
    return math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up)


def _rows(
    params: Mapping[str, int], name: str, parts: tuple[tuple[str, Part], ...], base_url: str
) -> Iterator[tuple[Any, ...]]:
    words: list[Word] = []
    ranges: list[tuple[float, float]] = []
    unit, based = None, None
    for kind, part in parts:
        if kind in ("token", "string", "reference"):
            words.append(_word(kind, part, base_url))
        else:
            ranges.append(_range(kind, part))
        if kind == "quantity":
            system, code, written = part[4:]  # type: ignore[misc]
            words.append((indexed(code or ""), system_key(system or "")))
            unit = indexed(written) if written and written != code else None
            based = in_base_unit(ranges[-1], system, code)
    (first, system1), second = words[0], words[1] if len(words) > 1 else (None, None)
    if not ranges:
        ranges.append((number_of(str(second[0])),) * 2)
    further = ranges[1] if len(ranges) > 1 else (None, None)
    yield (params[name], first, system1, *ranges[0], *second, unit, *further)
    if based:
        low, high, base = based
        yield (params[f"{name}@{base}"], first, system1, low, high, "", system_key(base), None, *further)


def _range(kind: str, part: Any) -> tuple[float, float]:
    """The interval of a date, number or quantity; microseconds are exact as doubles, but for fractions in far years."""
    return (float(part[1]), float(part[2])) if kind == "date" else bounds(part[1], part[2], part[3])


def _word(kind: str, part: Any, base_url: str) -> Word:
    if kind == "token":
        return indexed(part[2]), system_key(part[1] or "")
    if kind == "string":
        return indexed(part[1]), 0
    return indexed(target_of(part[1], part[2], part[3], base_url)), 0
