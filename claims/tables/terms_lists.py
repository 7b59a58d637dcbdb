"""The rows of code lists other than ICD-10-CM, out of one edition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from claims.sheet.values import EPOCH
from fhir_profiles.systems import ICD10PCS, NDC, NUCC, PLACE_OF_SERVICE
from terminology import Terminology
from terminology.model import Concept

FACILITY = frozenset(["02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"])
"""Places at which the facility amount is paid (Medicare Claims Processing Manual, chapter 12, 20.4.2)."""

HOME = frozenset(["01", "04", "09", "12", "13", "14", "16", "33", "54", "55", "56", "65"])
"""Places at which equipment for the home is paid (Medicare Claims Processing Manual, chapter 20, 10.1.1)."""

INPATIENT = frozenset(["21", "51", "61"])
"""Places at which a patient has been admitted to a hospital."""


def procedures(system: str, terminology: Terminology, version: str) -> pl.DataFrame:
    """Codes of HCPCS or CPT but for modifiers; `added` and `ended` are the days that the edition says of the code."""
    return _frame(
        {
            "code": concept.code,
            "active": concept.active,
            "added": _day(concept.start),
            "ended": _day(concept.end),
            "replacement": _first(concept.properties.get("replaced_by")),
        }
        for concept in _codes(terminology, system, version)
        if len(concept.code) == 5
    )


def billable(terminology: Terminology, version: str) -> pl.DataFrame:
    """Codes of ICD-10-PCS; its tables and axes may not be billed."""
    found = _codes(terminology, ICD10PCS, version)
    return _frame({"code": concept.code, "billable": bool(concept.billable)} for concept in found)


def taxonomy(terminology: Terminology, version: str) -> pl.DataFrame:
    """Codes in use, and whether they are of persons."""
    return _frame(
        {"code": concept.code, "individual": concept.properties.get("section") == "Individual", **_period(concept)}
        for concept in _codes(terminology, NUCC, version)
        if concept.active
    )


def codes(system: str, terminology: Terminology, version: str) -> pl.DataFrame:
    """Codes from the day on which they began to that on which they end."""
    return _frame({"code": concept.code, **_period(concept)} for concept in _codes(terminology, system, version))


def places(terminology: Terminology, version: str) -> pl.DataFrame:
    """Places of service."""
    return _frame(
        {"code": c.code, "facility": c.code in FACILITY, "dme": c.code in HOME, "inpatient": c.code in INPATIENT}
        for c in _codes(terminology, PLACE_OF_SERVICE, version)
    )


def packages(terminology: Terminology, version: str) -> pl.DataFrame:
    """Packages of drugs by their eleven digits, of several listings the first, with the name of the product."""
    found: dict[str, str] = {}
    for concept in _codes(terminology, NDC, version):
        digits = concept.properties.get("ndc11")
        if digits:
            found.setdefault(str(digits), concept.display)
    return _frame({"ndc": digits, "name": name} for digits, name in found.items())


def _codes(terminology: Terminology, system: str, version: str) -> Iterator[Concept]:
    return (concept for concept in terminology.concepts(system, version) if not concept.group)


def _period(concept: Concept) -> dict[str, int | None]:
    return {"start": _day(concept.start), "end": _day(concept.end)}


def _day(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - EPOCH


def _first(value: Any) -> str | None:
    return (value[0] if value else None) if isinstance(value, list) else value


def _frame(rows: Iterator[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)
