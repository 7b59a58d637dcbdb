"""Figures as a Parameters resource and as CSV (https://hl7.org/fhir/R4/parameters.html, RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from server.figures.model import Figure

Json = dict[str, Any]
_RISKY = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run."""


def parameters(figures: Iterable[Figure], head: Sequence[Json], notes: Iterable[str] = ()) -> Json:
    """`figure` for each: parts `name`, `value` (absent where nothing can be measured), `unit`, `rows`, `label`."""
    told = [*head, *({"name": "note", "valueString": note} for note in notes), *map(_parameter, figures)]
    return {"resourceType": "Parameters", "parameter": told}


def _parameter(figure: Figure) -> Json:
    parts: list[Json] = [{"name": "name", "valueCode": figure.name}]
    if figure.value is not None:
        parts.append({"name": "value", "valueDecimal": figure.value})
    if figure.unit:
        parts.append({"name": "unit", "valueString": figure.unit})
    parts.append({"name": "rows", "valueUnsignedInt": len(figure.made_of)})
    if figure.labels:
        labels = [{"name": name, "valueString": value} for name, value in figure.labels]
        parts.append({"name": "label", "part": labels})
    return {"name": "figure", "part": parts}


def as_csv(figures: Iterable[Figure], since: str, until: str) -> str:
    """A line for each figure; labels are `name=value` joined by `;`, no value where nothing can be measured."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("figure", "labels", "value", "unit", "rows", "since", "until"))
    for one in figures:
        labels = ";".join(f"{name}={value}" for name, value in one.labels)
        value = "" if one.value is None else f"{one.value:g}" if isinstance(one.value, int) else repr(one.value)
        writer.writerow((one.name, _safe(labels), value, one.unit, len(one.made_of), since, until))
    return out.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text
