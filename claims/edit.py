"""Which rules a claim breaks: over tables of claims for bulk, and over one claim, with the same findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import polars as pl

from claims.expr.single import FOUND, single
from claims.expr.tree import Column, Each, walk
from claims.expr.vector import Frames, Questions
from claims.rules.rule import Rule
from claims.sheet.schema import SCOPES
from claims.tables.table import Table


class Finding(msgspec.Struct, frozen=True):
    """A rule that a claim breaks; `place` counts the parts of the rule's scope from 0, `sequence` is its number."""

    rule: Rule
    place: int | None
    sequence: int | None


@dataclass(frozen=True)
class Edits:
    """Rules together with the tables that they ask. A rule without its tables is not run, and is told."""

    rules: Sequence[Rule]
    tables: Mapping[str, Table]

    @cached_property
    def active(self) -> list[Rule]:
        """The rules that run, in their order."""
        return [rule for rule in self.rules if not rule.tables - set(self.tables)]

    @cached_property
    def not_run(self) -> dict[str, tuple[str, ...]]:
        """Rule → the tables that it needs and that are not loaded."""
        loaded = set(self.tables)
        return {rule.id: tuple(sorted(rule.tables - loaded)) for rule in self.rules if rule.tables - loaded}

    @cached_property
    def _questions(self) -> list[Questions]:
        nodes: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for number, rule in enumerate(self.active):
            nodes[rule.scope][str(number)] = rule.node
        return [Questions(scope, found) for scope, found in nodes.items()]

    @cached_property
    def columns(self) -> dict[str, set[str]]:
        """Frame → the columns of it that the rules that run ask."""
        found: defaultdict[str, set[str]] = defaultdict(set, {"claims": {"row"}})
        for rule in self.active:
            scope = SCOPES[rule.scope][0]
            found[scope].add("row")
            for node in walk(rule.node):
                if isinstance(node, Column):
                    found["claims" if node.of == "claim" else node.of or scope].add(node.name)
                elif isinstance(node, Each):
                    found[node.collection].add("row")
        return dict(found)

    @cached_property
    def _singles(self) -> list[Any]:
        return [(rule, SCOPES[rule.scope][0], single(rule.node, self.tables)) for rule in self.active]

    def of_frames(self, frames: Frames) -> pl.DataFrame:
        """The findings of many claims, in order: `row`, `rule` as in `active`, `place` (-1: the claim itself)."""
        found: list[pl.DataFrame] = []
        for questions in self._questions:
            flags = questions.ask(frames, self.tables)
            rows = frames[questions.collection]["row"]
            places = _places(rows) if questions.collection != "claims" else None
            broken = flags.select(pl.all().any()).row(0)
            for name in (name for name, some in zip(flags.columns, broken, strict=True) if some):
                hit = flags[name].arg_true()
                where = pl.repeat(-1, len(hit), dtype=pl.Int64, eager=True) if places is None else places[hit]
                number = pl.repeat(int(name), len(hit), dtype=pl.Int64, eager=True)
                found.append(pl.DataFrame({"row": rows[hit], "rule": number, "place": where}))
        if not found:
            return pl.DataFrame(schema={"row": pl.Int64, "rule": pl.Int64, "place": pl.Int64})
        return pl.concat(found).sort("row", "rule", "place")

    def of_record(self, record: Mapping[str, Any]) -> list[Finding]:
        """The findings of one claim."""
        found = []
        record = {**record, FOUND: {}}
        for rule, collection, ask in self._singles:
            if collection == "claims":
                if ask(record["claim"], record, None):
                    found.append(Finding(rule, None, None))
                continue
            for place, row in enumerate(record[collection]):
                if ask(row, record, None):
                    found.append(Finding(rule, place, row["seq"]))
        return found


def _places(rows: pl.Series) -> pl.Series:
    """The place of each row among those of its claim; the rows of a claim stand together."""
    numbers = rows.to_numpy()
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    return pl.Series(np.arange(len(numbers)) - np.repeat(starts, np.diff(starts, append=len(numbers))))
