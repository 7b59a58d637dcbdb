"""The search values of a resource, by compiled search parameters (https://hl7.org/fhir/R4/searchparameter-registry.html)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from fhir_profiles.dates import OPEN_LOW
from fhir_profiles.definitions import load
from fhir_profiles.extract.measures import measured
from fhir_profiles.extract.plan import NOT_INDEXED, plan_for
from fhir_profiles.extract.rows import Index
from fhir_profiles.extract.values import normalise

__all__ = ["MAIN_DATES", "NOT_INDEXED", "Index", "index", "main_dates", "measured", "normalise"]

MAIN_DATES = (
    *("authoredon", "date", "onset-date", "occurrence", "created", "authored", "authored-on", "datewritten"),
    *("effective-time", "effective", "period", "started", "start", "issued", "collected", "identified", "recorded"),
    *("sent", "whenhandedover", "whenprepared", "start-date", "timestamp", "datetime", "event-date", "recorded-date"),
    *("abatement-date", "received", "entered-date", "when", "birthdate"),
)
"""The date parameters that can be a type's main date; the first of these with a value is `Index.date`."""


def index(resource: Mapping[str, Any]) -> Index:
    """Every index row of a valid resource; KeyError for a type that R4 does not have.

    Rows of `_lastUpdated` come from `meta.lastUpdated`, so index what is stored. `_id` and composite parameters have
    no rows: the first is the key of the resource, the second are joins of others.
    """
    name = resource["resourceType"]
    plan = plan_for(name)
    rows = Index()
    by_key = plan.by_key
    for key, value in resource.items():
        if key in by_key:
            for emit in by_key[key]:
                emit(value, rows)
    for emit_always in plan.always:
        emit_always(resource, rows)
    rows.patient = resource.get("id") if name == "Patient" else _patient(name, rows)
    rows.date = _date(name, rows)
    return rows


@cache
def main_dates(resource_type: str) -> tuple[str, ...]:
    """The parameters of the type that can be its main date, in order."""
    known = load().search_params(resource_type)
    return tuple(c for c in MAIN_DATES if c in known and known[c].type == "date")


@cache
def _to_patient(resource_type: str) -> dict[str, int]:
    """Parameters that put the type in the Patient compartment and their order."""
    declared = load().compartment("Patient").get(resource_type, ())
    first = [c for c in ("patient", "subject") if c in declared]
    return {c: i for i, c in enumerate(dict.fromkeys([*first, *declared]))}


def _patient(name: str, rows: Index) -> str | None:
    order = _to_patient(name)
    best, found = len(order), None
    for code, kind, id_, _ in rows.references:
        if kind == "Patient" and id_ is not None and order.get(code, best) < best:
            best, found = order[code], id_
    return found


@cache
def _date_order(resource_type: str) -> dict[str, int]:
    return {c: i for i, c in enumerate(main_dates(resource_type))}


def _date(name: str, rows: Index) -> int | None:
    order = _date_order(name)
    best, found = len(order), None
    for code, low, high in rows.dates:
        rank = order.get(code, best)
        if rank < best:
            best, found = rank, low if low != OPEN_LOW else high
    return found
