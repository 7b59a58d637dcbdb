"""The index rows of a resource, in the columns of the store (https://hl7.org/fhir/R4/search.html#ptypes)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from fhir_profiles.dates import DAY, OPEN_LOW
from fhir_profiles.definitions import load
from fhir_profiles.extract import Index, index, main_dates, normalise
from fhir_profiles.extract.own import Own
from server.store.keys import indexed, param_key, patient_key, system_key
from server.store.version import Rows

from .composite import composite_rows, target_of
from .measure import bounds, in_base_unit, twice
from .present import PRESENT, shape

NO_DATE = OPEN_LOW - 1
"""The main date of a resource without one: before all others."""

MAX_STRING = 255
"""Characters of a normalised string that stand in the index."""

CONTEXT, POINTER, INSIDE = "securityContext", "location@here", "patient@inside"
"""What stands in the index for access control, under names that no parameter has."""

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
    patient = None if found.patient is None else patient_key(found.patient)
    date = _main_date(name, found)
    rows = _rows(name, found, patient, date, base_url)
    if name == "Binary" and (context := _context(resource, base_url)):
        rows["idx_reference"] = [(_params(name)[CONTEXT], indexed(context), date)]
    if name == "Bundle" and (inside := _inside(resource)):
        targets = dict.fromkeys(target_of(kind, id_, url, base_url) for kind, id_, url in inside)
        rows.setdefault("idx_reference", []).extend((_params(name)[INSIDE], indexed(one), date) for one in targets)
    if name == "DocumentReference" and base_url and "idx_uri" in rows:
        rows["idx_uri"] += _pointers(_params(name), rows["idx_uri"], base_url)
    rows.setdefault("idx_token", []).append((_params(name)[PRESENT], shape(name, found), 0, patient, date))
    return rows, found.patient


def _inside(resource: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Whom the Composition within a document is about, also where it is not stored by itself: type, id and URL."""
    first = ((resource.get("entry") or [{}])[0]).get("resource") or {}
    if resource.get("type") != "document" or first.get("resourceType") != "Composition":
        return []
    whose = load().compartment("Patient")["Composition"]
    return [tuple(rest) for code, *rest in index(first).references if code in whose]


def _context(resource: Mapping[str, Any], base_url: str) -> str | None:
    """`Type/id` of what the security context of a Binary names; R4 has no parameter for it, access control asks it."""
    context = resource.get(CONTEXT)
    reference = context.get("reference") if isinstance(context, dict) else None
    if not isinstance(reference, str):
        return None
    return reference.removeprefix(f"{base_url}/").partition("/_history/")[0]


def _pointers(params: Mapping[str, int], rows: Iterable[tuple[Any, ...]], base_url: str) -> list[tuple[Any, ...]]:
    """What a document names of this server by whole URLs, as `Binary/[id]`: access control asks for it.

    Which base is ours is said by the write, when the pointer is checked; who reads could say any.
    """
    own = f"{base_url}/Binary/"
    found = [value for param, value in rows if param == params["location"] and value.startswith(own)]
    return [(params[POINTER], value.removeprefix(f"{base_url}/")) for value in dict.fromkeys(found)]


def own_rows(resource: Mapping[str, Any], parameters: Iterable[Own], base_url: str = "") -> Rows:
    """The rows of parameters beyond R4, with the patient and the main date of the resource."""
    name = resource["resourceType"]
    found, whole = Index(), index(resource)
    for parameter in parameters:
        parameter.read[name](resource, found)
    patient = None if whole.patient is None else patient_key(whole.patient)
    return _rows(name, found, patient, _main_date(name, whole), base_url)


def _rows(name: str, found: Index, patient: int | None, date: int, base_url: str) -> Rows:
    params = _params(name)
    rows: Rows = {}
    if found.tokens:
        rows["idx_token"] = [
            (params[code], indexed(value), system_key(system or ""), patient, date)
            for code, system, value in dict.fromkeys(found.tokens)
        ]
    if found.strings or found.shown:
        texts = [(f"{place}:text", normalise(text), text) for place, text in found.shown]
        rows["idx_string"] = [
            (params[code], value[:MAX_STRING], indexed(exact), value if len(value) > MAX_STRING else None)
            for code, value, exact in dict.fromkeys(found.strings + texts)
        ]
    if found.dates:
        dates = [(params[code], low, high) for code, low, high in dict.fromkeys(found.dates)]
        rows["idx_date"] = dates + [(-param, low, high) for param, low, high in dates if high - low > WIDE]
    if found.references:
        targets = dict.fromkeys(
            [(code, target_of(kind, id_, url, base_url)) for code, kind, id_, url in found.references]
        )
        rows["idx_reference"] = [(params[code], indexed(target), date) for code, target in targets]
    if found.numbers or found.quantities:
        rows["idx_quantity"] = twice(dict.fromkeys(_quantities(params, found)), 1)
    if found.uris:
        rows["idx_uri"] = [(params[code], indexed(value)) for code, value in dict.fromkeys(found.uris)]
    if composites := dict.fromkeys(composite_rows(name, params, found, base_url)):
        rows["idx_composite"] = twice(composites, 3)
    return rows


def _main_date(name: str, found: Index) -> int:
    """When the resource's main date begins, which an interval without a start never did."""
    if found.date is None:
        return NO_DATE
    for code, low, high in found.dates:
        if low == OPEN_LOW and high == found.date and code in main_dates(name):
            return OPEN_LOW
    return found.date


def _quantities(params: Mapping[str, int], found: Index) -> Iterator[tuple[Any, ...]]:
    """A row for each number and quantity as written, and one in base units for each that UCUM knows."""
    for code, value, low, high in found.numbers:
        yield (params[code], *bounds(value, low, high), 0, "", None)
    for code, value, low, high, system, unit_code, unit in found.quantities:
        ends = bounds(value, low, high)
        yield (
            params[code],
            *ends,
            system_key(system or ""),
            indexed(unit_code or ""),
            indexed(unit) if unit and unit != unit_code else None,
        )
        if based := in_base_unit(ends, system, unit_code):
            first, last, base = based
            yield (params[f"{code}@{base}"], first, last, system_key(base), "", None)
