"""The index rows of a resource, in the columns of the store (https://hl7.org/fhir/R4/search.html#ptypes)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fhir_profiles.dates import DAY, OPEN_LOW
from fhir_profiles.extract import Index, index, main_dates
from server.store.keys import indexed, param_key, patient_key, system_key
from server.store.version import Rows

NO_DATE = OPEN_LOW - 1
"""The main date of a resource without one: before all others."""

WIDE = 32 * DAY
"""Intervals longer than this have a second row under the negative key of their parameter. All others begin at most this
long before they end, so that a window of time is a short range of one index."""


class _Params(dict[str, int]):
    """The keys of one type's parameters, each worked out once."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __missing__(self, code: str) -> int:
        key = self[code] = param_key(self.name, code)
        return key


_params = cache(_Params)


def index_rows(resource: Mapping[str, Any], base_url: str = "") -> tuple[Rows, str | None]:
    """Index rows by table and the id of the resource's patient; references below `base_url` count as ours."""
    found = index(resource)
    name = resource["resourceType"]
    params = _params(name)
    patient = None if found.patient is None else patient_key(found.patient)
    date = _main_date(name, found)
    rows: Rows = {}
    if found.tokens:
        rows["idx_token"] = [
            (params[code], indexed(value), system_key(system or ""), patient, date)
            for code, system, value in dict.fromkeys(found.tokens)
        ]
    if found.strings:
        rows["idx_string"] = [(params[code], value, exact) for code, value, exact in dict.fromkeys(found.strings)]
    if found.dates:
        dates = [(params[code], low, high) for code, low, high in dict.fromkeys(found.dates)]
        rows["idx_date"] = dates + [(-param, low, high) for param, low, high in dates if high - low > WIDE]
    if found.references:
        targets = dict.fromkeys(
            [(code, target_of(kind, id_, url, base_url)) for code, kind, id_, url in found.references]
        )
        rows["idx_reference"] = [(params[code], indexed(target), date) for code, target in targets]
    if found.numbers or found.quantities:
        rows["idx_quantity"] = list(dict.fromkeys(_quantities(params, found)))
    if found.uris:
        rows["idx_uri"] = [(params[code], indexed(value)) for code, value in dict.fromkeys(found.uris)]
    return rows, found.patient


def _main_date(name: str, found: Index) -> int:
    """When the resource's main date begins, which an interval without a start never did."""
    if found.date is None:
        return NO_DATE
    for code, low, high in found.dates:
        if low == OPEN_LOW and high == found.date and code in main_dates(name):
            return OPEN_LOW
    return found.date


def target_of(kind: str | None, id_: str | None, url: str | None, base_url: str) -> str:
    """What a reference points to: `Type/id` here, a URL elsewhere."""
    if url is None:
        return f"{kind}/{id_}"
    if base_url and url.startswith(base_url) and url[len(base_url) : len(base_url) + 1] == "/":
        return url[len(base_url) + 1 :]
    return url


def _quantities(params: _Params, found: Index) -> Iterator[tuple[Any, ...]]:
    """A row for each number and coded unit, and one for the written unit where it says something else."""
    for code, value, low, high in found.numbers:
        yield (params[code], *_bounds(value, low, high), 0, "")
    for code, value, low, high, system, unit_code, unit in found.quantities:
        param, bounds = params[code], _bounds(value, low, high)
        yield (param, *bounds, system_key(system or ""), indexed(unit_code or ""))
        if unit and unit != unit_code:
            yield (param, *bounds, 0, indexed(unit))


def _bounds(value: float, low: float, high: float) -> tuple[float, float]:
    """A written number is a point; a Range or a comparator is the interval that it says."""
    if math.isclose(value - low, high - value, rel_tol=1e-6):
        return value, value
    return low, high
