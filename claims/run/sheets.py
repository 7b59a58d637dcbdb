"""The findings and prices of a chunk as tables, and what they come to, without a step for each finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from claims.answer.scrub import Many
from claims.rules.rule import Rule
from claims.run.counts import Broken, Counts
from claims.sheet.schema import SCOPES
from claims.sheet.sheet import Sheet

_TYPES: dict[str, Any] = {"line": pl.Int64, "sequence": pl.Int64}


def findings(rules: Sequence[Rule], found: pl.DataFrame, sheet: Sheet, numbers: list[int]) -> pl.DataFrame:
    """A row for each finding: line of the file, claim, control number, rule, severity, scope, part, CARC."""
    row, rule = found["row"], found["rule"]
    about = {
        "rule": [one.id for one in rules], "severity": [one.severity for one in rules],
        "scope": [one.scope for one in rules], "carc": [one.carc for one in rules],
    }  # fmt: skip
    said = {name: pl.Series(name, texts, dtype=pl.String).gather(rule) for name, texts in about.items()}
    return pl.DataFrame(
        {
            "line": pl.Series(numbers, dtype=pl.Int64).gather(row),
            "claim": _texts(sheet, "id").gather(row),
            "control": _texts(sheet, "control").gather(row),
            "rule": said["rule"],
            "severity": said["severity"],
            "scope": said["scope"],
            "sequence": pl.Series(_sequences(rules, found, sheet), dtype=pl.Int64),
            "carc": said["carc"],
        }
    )


def prices(priced: pl.DataFrame, sheet: Sheet, numbers: list[int]) -> pl.DataFrame:
    """A row for each line of a claim: line of the file, claim, and what it is worth."""
    at = priced["row"]
    lines = pl.Series("line", numbers, dtype=pl.Int64).gather(at)
    return priced.select(lines, _texts(sheet, "id").alias("claim").gather(at), pl.exclude("row"))


def scores(scored: pl.DataFrame, sheet: Sheet, numbers: list[int]) -> pl.DataFrame:
    """A row for each claim: line of the file, claim, and what a model says of it."""
    lines = pl.Series("line", numbers, dtype=pl.Int64)
    return scored.select(lines, _texts(sheet, "id").alias("claim"), pl.exclude("row"))


def tally(rules: Sequence[Rule], many: Many, sheet: Sheet) -> Counts:
    """What was found, in numbers; lines of the file and rejected ones are not known here."""
    row, rule, place = (many.found[name].to_numpy() for name in ("row", "rule", "place"))
    whole = np.array(sheet.columns["claims"]["lines_total"], np.int64)
    grave = np.fromiter((one.severity == "error" for one in rules), bool, len(rules))
    bad = np.zeros(len(sheet), bool)
    bad[row[grave[rule]]] = True
    return Counts(
        claims=len(sheet),
        findings=len(row),
        errors=int(grave[rule].sum()),
        clean=len(sheet) - int(bad.sum()),
        priced=many.prices["allowed"].count(),
        charged=int(whole.sum()),
        allowed=int(many.prices["allowed"].sum() or 0),
        held=int(whole[bad].sum()),
        rules={
            rules[number].id: _broken(rules[number], row[rule == number], place[rule == number], whole, sheet)
            for number in np.unique(rule).tolist()
        },
    )


def _broken(rule: Rule, rows: Any, places: Any, whole: Any, sheet: Sheet) -> Broken:
    claims = np.unique(rows)
    if rule.scope == "line":
        at = zip(rows.tolist(), places.tolist(), strict=True)
        charges = sheet.columns["lines"]["charge"]
        charged = sum(charges[sheet.span("lines", row)[0] + place] or 0 for row, place in at)
    else:
        charged = int(whole[claims].sum())
    return Broken(len(rows), len(claims), charged)


def _texts(sheet: Sheet, name: str) -> pl.Series:
    return pl.Series(sheet.columns["claims"][name], dtype=pl.String)


def _sequences(rules: Sequence[Rule], found: pl.DataFrame, sheet: Sheet) -> list[int | None]:
    """The number of the part of the claim that each finding is about; none where it is the claim itself."""
    parts = [SCOPES[one.scope][0] for one in rules]
    return [None if place < 0 else sheet.number(parts[rule], row, place) for row, rule, place in found.iter_rows()]
