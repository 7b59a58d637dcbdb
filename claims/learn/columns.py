"""The columns of a sheet that learned help looks at, out of frames or out of one record, as lists.

Only what is known before a claim is sent. Names, numbers of persons, addresses and days of birth are not among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from claims.answer.response import Result
from claims.expr.tree import Column, Each, walk
from claims.rules.rule import Rule

ASKED: dict[str, tuple[str, ...]] = {
    "claims": (
        "row", "type", "frequency", "inpatient", "outpatient", "coverage_type", "medicare", "medicaid", "payer_id",
        "subscriber_is_patient", "participating", "age", "created", "last_service", "total", "lines_total",
        "insurances", "referral", "accident_type", "provider_taxonomy", "provider_npi", "authorisations",
    ),
    "lines": (
        "row", "seq", "code", "unit", "pos", "mods", "units", "charge", "minutes", "specialty", "start",
        "authorisation",
    ),
    "diagnoses": ("row", "code"),
}  # fmt: skip
"""Frame → the columns that features are made of; payer and provider are looked up by number, never shown."""
AFTER = frozenset(
    (
        "paid",
        "received",
        "has_response",
        "response_date",
        "response_paid",
        "response_adjusted",
        "status",
        "history_known",
    )
)
"""Columns that may tell what a payer has decided, or that only some callers know."""


class Table(msgspec.Struct):
    """Claims as lists: columns of claims, lines (with `allowed`) and diagnoses, and (claim, rule id) of findings."""

    size: int
    claims: Mapping[str, Sequence[Any]]
    lines: Mapping[str, Sequence[Any]]
    diagnoses: Mapping[str, Sequence[Any]]
    findings: Sequence[tuple[int, str]]


def joined(tables: Sequence[Table]) -> Table:
    """Tables one after the other, with their claims numbered on."""
    starts = [0]
    for table in tables:
        starts.append(starts[-1] + table.size)
    claims, lines, diagnoses = (
        _joined(parts, starts)
        for parts in ([t.claims for t in tables], [t.lines for t in tables], [t.diagnoses for t in tables])
    )
    found = [(row + start, rule) for t, start in zip(tables, starts, strict=False) for row, rule in t.findings]
    return Table(starts[-1], claims, lines, diagnoses, found)


def _joined(parts: Sequence[Mapping[str, Sequence[Any]]], starts: Sequence[int]) -> dict[str, list[Any]]:
    one = {name: [value for part in parts for value in part[name]] for name in parts[0]}
    one["row"] = [row + start for part, start in zip(parts, starts, strict=False) for row in part["row"]]
    return one


def of_frames(
    frames: Mapping[str, pl.DataFrame], active: Sequence[Rule], findings: pl.DataFrame, prices: pl.DataFrame
) -> Table:
    """Of many claims: their frames, what `Edits.of_frames` found by the rules in `active`, what `Prices` said."""
    lists = {name: frames[name].select(columns).to_dict(as_series=False) for name, columns in ASKED.items()}
    lists["lines"]["allowed"] = prices["allowed"].to_list()
    ids = [rule.id for rule in active]
    found = [(row, ids[rule]) for row, rule in findings.select("row", "rule").iter_rows()]
    return Table(len(lists["claims"]["row"]), lists["claims"], lists["lines"], lists["diagnoses"], found)


def of_results(results: Sequence[Result]) -> Table:
    """Of claims that were scrubbed, one or many."""
    lists: dict[str, dict[str, list[Any]]] = {}
    for name, columns in ASKED.items():
        rows: list[tuple[int, Mapping[str, Any]]] = []
        for place, result in enumerate(results):
            rows += [(place, row) for row in ([result.record["claim"]] if name == "claims" else result.record[name])]
        lists[name] = {column: [row[column] for _, row in rows] for column in columns}
        lists[name]["row"] = [place for place, _ in rows]
    lists["lines"]["allowed"] = [allowed for result in results for allowed in _allowed(result)]
    found = [(place, finding.rule.id) for place, result in enumerate(results) for finding in result.findings]
    return Table(len(results), lists["claims"], lists["lines"], lists["diagnoses"], found)


def _allowed(result: Result) -> Iterable[int | None]:
    return [one.allowed for one in result.prices] if result.prices else [None] * len(result.record["lines"])


def usable(rule: Rule) -> bool:
    """Whether a rule asks only what is known before a claim is sent, of the claim alone."""
    return not any(
        (isinstance(node, Column) and node.name in AFTER)
        or (isinstance(node, Each) and node.collection in ("history", "adjustments"))
        for node in walk(rule.node)
    )
