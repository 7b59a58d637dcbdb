"""Which rules a claim breaks: over tables of claims for bulk, and over one claim, with the same findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np
import polars as pl

from claims.expr.single import broken
from claims.expr.tree import Column, Each, Node, walk
from claims.expr.vector import Batch, Expressions, Frames
from claims.rules.rule import Rule
from claims.sheet.schema import SCOPES
from claims.tables.columns import Array
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
    def _expressions(self) -> Expressions:
        return Expressions([(rule.scope, rule.node) for rule in self.active])

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
    def _broken(self) -> list[tuple[str, Any]]:
        """Collection → what tells the rules that a row of it breaks."""
        by_scope: defaultdict[str, list[tuple[int, Node]]] = defaultdict(list)
        for number, rule in enumerate(self.active):
            by_scope[SCOPES[rule.scope][0]].append((number, rule.node))
        return [(collection, broken(nodes, self.tables)) for collection, nodes in by_scope.items()]

    def of_frames(self, frames: Frames) -> pl.DataFrame:
        """The findings of many claims, in order: `row`, `rule` as in `active`, `place` (-1: the claim itself)."""
        batch = Batch(frames, self.tables)
        rows, rules, places = [], [], []
        for number, collection, hit in self._expressions.hits(batch):
            rows.append(batch.whole(collection).claim[hit])
            rules.append(np.full(len(hit), number))
            places.append(np.full(len(hit), -1) if collection == "claims" else _places(batch, collection)[hit])
        if not rows:
            return pl.DataFrame(schema={"row": pl.Int64, "rule": pl.Int64, "place": pl.Int64})
        columns = [np.concatenate(one) for one in (rows, rules, places)]
        order = np.lexsort(columns[::-1])
        return pl.DataFrame({name: one[order] for name, one in zip(("row", "rule", "place"), columns, strict=True)})

    def of_record(self, record: Mapping[str, Any]) -> list[Finding]:
        """The findings of one claim, in the order of the rules and of what they are about."""
        found: list[tuple[int, int, int | None]] = []
        known: dict[Any, int] = {}
        for collection, ask in self._broken:
            for place, row in enumerate((record["claim"],) if collection == "claims" else record[collection]):
                hits: list[int] = []
                ask(row, record, known, hits.append)
                found += [(number, place, None if collection == "claims" else row["seq"]) for number in hits]
        rules = self.active
        return [
            Finding(rules[number], None if rules[number].scope == "claim" else place, sequence)
            for number, place, sequence in sorted(found, key=itemgetter(0, 1))
        ]


def _places(batch: Batch, collection: str) -> Array:
    """The place of each row among those of its claim; the rows of a claim stand together."""
    rows = batch.whole(collection)
    found: Array = np.arange(rows.count) - rows.sizes[1][rows.claim]
    return found
