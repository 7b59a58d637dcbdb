"""The tables that ship with the package: small lists that are public facts, in our own words, as tab-separated files.

A file is named after its table and has a header with its keys, the values that it tells, and `start` and `end`
(YYYY-MM-DD) where its rows do not always hold. An empty field is not known; `yes` and `no` are flags. A release that a
user loads stands before ours.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from claims.expr.tree import Type
from claims.sheet.values import day
from claims.tables.schema import TABLES
from claims.tables.store import shaped
from claims.tables.table import Table
from fhir_profiles.errors import Category, FhirError

RELEASE = "own"
_FLAGS = {"yes": True, "no": False}
_PERIOD: dict[str, Type] = {"start": "day", "end": "day"}


@cache
def own_tables() -> dict[str, Table]:
    """Every table that ships, by name; the dict is shared, copy it before changing it."""
    found = (f for f in (files("claims.tables") / "data").iterdir() if f.name.endswith(".tsv"))
    listed = sorted(found, key=lambda file: file.name)
    return {(name := file.name.removesuffix(".tsv")): read_table(name, file.read_text("utf-8")) for file in listed}


def read_table(name: str, text: str) -> Table:
    """The table of a file; FhirError that names the line which cannot be read."""
    definition = TABLES[name]
    kinds = {**definition.keys, **definition.values, **_PERIOD}
    lines = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(lines, [])
    if set(header) - set(kinds) or set(definition.keys) - set(header) or len(set(header)) != len(header):
        raise _refused(name, 1, f"the header names {', '.join(kinds)}")
    rows = []
    for number, fields in enumerate(lines, 2):
        if len(fields) != len(header):
            raise _refused(name, number, f"{len(header)} fields are expected")
        try:
            rows.append({key: _value(field, kinds[key]) for key, field in zip(header, fields, strict=True)})
        except (ValueError, KeyError):
            raise _refused(name, number, "a field is not of its column's kind") from None
    return Table.of(definition, shaped(pl.DataFrame(rows, infer_schema_length=None), definition), RELEASE)


def _value(field: str, kind: Type) -> Any:
    if field == "":
        return None
    if kind == "flag":
        return _FLAGS[field]
    if kind == "day":
        date.fromisoformat(field)
        return day(field)
    return field if kind == "text" else float(field) if kind == "number" else int(field)


def _refused(name: str, line: int, why: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "structure", f"{name}.tsv, line {line}: {why}")
