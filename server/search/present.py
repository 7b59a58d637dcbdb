"""Which parameters of a resource have a value, as one code of one row (https://hl7.org/fhir/R4/search.html#missing).

Resources of a type have few different such codes, so that `:missing` asks for those in which a parameter is set, or
not, and finds their rows in the index: it never looks for what is not there.
"""

from __future__ import annotations

from functools import cache

from fhir_profiles.definitions import load
from fhir_profiles.extract import NOT_INDEXED, Index
from fhir_profiles.extract.composite import names

PRESENT = "_present"
"""The name under which the rows stand."""


@cache
def places(resource_type: str) -> dict[str, int]:
    """The bit of each parameter."""
    codes = sorted(set(load().search_params(resource_type)) - NOT_INDEXED)
    return {code: bit for bit, code in enumerate(codes)}


def shape(resource_type: str, found: Index) -> str:
    """The bits of a resource in hexadecimal digits, the first four parameters in the first."""
    bits = places(resource_type)
    seen = set(found.present)
    for rows in (
        found.tokens, found.strings, found.dates, found.references,
        found.numbers, found.quantities, found.uris, found.composites, found.positions,
    ):  # fmt: skip
        seen.update([row[0] for row in rows])
    for name, _ in found.composites:
        seen.update(_sharing(resource_type).get(name, ()))
    digits = [0] * (len(bits) // 4 + 1)
    for code in seen:
        bit = bits.get(code)
        if bit is not None:
            digits[bit >> 2] |= 1 << (bit & 3)
    return "".join([_HEX[digit] for digit in digits])


@cache
def _sharing(resource_type: str) -> dict[str, list[str]]:
    """The composite parameters that search the rows of a name."""
    found: dict[str, list[str]] = {}
    for code, parameter in load().search_params(resource_type).items():
        if parameter.type == "composite":
            for name in names(resource_type, code):
                found.setdefault(name, []).append(code)
    return found


_HEX = "0123456789abcdef"


def digit_of(resource_type: str, code: str) -> tuple[int, tuple[str, ...]] | None:
    """The place of the parameter's digit, counted from 1, and the digits that say it has a value."""
    bit = places(resource_type).get(code)
    if bit is None:
        return None
    return (bit >> 2) + 1, tuple(_HEX[n] for n in range(16) if n >> (bit & 3) & 1)
