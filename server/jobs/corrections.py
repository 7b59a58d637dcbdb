"""Words that people corrected, as extensions of their DocumentReference (docs/operations/correct-words.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from extractors.pages.corrected import Correction
from fhir_profiles.systems import CORRECTED_WORDS

MOST = 2_000
"""Corrections of a document that are applied."""

_SIDES = ("left", "top", "width", "height")


def corrections_of(document: Mapping[str, Any]) -> list[Correction]:
    """The corrections that a DocumentReference carries; what is not well formed is none."""
    return [found for one in _ours(document) if (found := _correction(one)) is not None]


def packed_of(document: Mapping[str, Any]) -> bytes:
    """The same as bytes for another process; empty when there are none."""
    found = corrections_of(document)
    return orjson.dumps([[o.page, o.left, o.top, o.width, o.height, o.text] for o in found]) if found else b""


def unpack(packed: bytes) -> list[Correction]:
    """What `packed_of` packed."""
    return [Correction(*one) for one in orjson.loads(packed)] if packed else []


def with_corrections(document: Mapping[str, Any], corrections: Sequence[tuple[Correction, str]]) -> dict[str, Any]:
    """The DocumentReference with these corrections, each with what was read, instead of those that it has."""
    others = [one for one in document.get("extension") or () if one.get("url") != CORRECTED_WORDS]
    return {**document, "extension": [*others, *(_extension(one, read) for one, read in corrections)]}


def read_of(document: Mapping[str, Any]) -> list[str]:
    """What was read in the place of each of `corrections_of`."""
    return [str(_values(one).get("read", "")) for one in _ours(document) if _correction(one) is not None]


def _ours(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The extensions that are meant to be corrections."""
    return [one for one in _parts(document) if one.get("url") == CORRECTED_WORDS][:MOST]


def _parts(element: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The extensions of an element; what was never stored may hold anything in their place."""
    listed = element.get("extension")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _correction(extension: Mapping[str, Any]) -> Correction | None:
    said = _values(extension)
    try:
        left, top, width, height = (float(said[name]) for name in _SIDES)
        return Correction(int(said["page"]), left, top, width, height, " ".join(str(said["text"]).split()))
    except (KeyError, TypeError, ValueError):
        return None


def _values(extension: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(part.get("url")): value
        for part in _parts(extension)
        for key, value in part.items()
        if key.startswith("value")
    }


def _extension(one: Correction, read: str) -> dict[str, Any]:
    sides = zip(_SIDES, (one.left, one.top, one.width, one.height), strict=True)
    return {
        "url": CORRECTED_WORDS,
        "extension": [
            {"url": "page", "valuePositiveInt": one.page},
            *({"url": name, "valueDecimal": Decimal(f"{side:.5f}")} for name, side in sides),
            {"url": "read", "valueString": read},
            {"url": "text", "valueString": one.text},
        ],
    }
