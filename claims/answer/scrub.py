"""Rules, tables and prices opened once, to scrub claims one by one or many at a time with the same result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from claims.answer.head import Head, read_head
from claims.answer.repair import repair
from claims.answer.response import Priced, Result
from claims.answer.stamp import Stamp
from claims.edit import Edits, Finding
from claims.price.beside import beside, put
from claims.price.price import TABLES as PRICE_TABLES
from claims.price.price import Prices
from claims.rules.rule import Rule, own_rules, unique, user_rules
from claims.sheet.frames import frames
from claims.sheet.schema import SCOPES
from claims.tables.all import open_all
from claims.tables.table import Table
from terminology import open_terminology

Record = dict[str, Any]
_ASKED = {
    "claims": (
        "row", "type", "start", "first_service", "patient_zip", "facility_zip", "provider_zip", "provider_npi",
        "provider_tax", "participating", "qualifying_apm",
    ),
    "lines": ("row", "seq", "code", "mods", "units", "minutes", "start", "pos", "service_zip", "charge"),
}  # fmt: skip
"""What prices ask of a sheet."""
MANY_LINES = 120
"""From more lines on the form for many claims is the faster one, measured with one claim."""
_PRICED = ("allowed", "why", "method", "factor", "carrier", "locality", "assumed")


@dataclass(frozen=True)
class Many:
    """What was found of many claims: a result for each, and the prices of all lines as a table."""

    results: Sequence[Result]
    prices: pl.DataFrame


@dataclass(frozen=True)
class Scrub:
    """Edits and prices over the same tables."""

    edits: Edits
    prices: Prices

    @classmethod
    def over(cls, tables: Mapping[str, Table], rules: Sequence[Rule] | None = None) -> Scrub:
        """Over tables that are open."""
        return cls(Edits(own_rules() if rules is None else rules, tables), Prices(tables))

    @classmethod
    def open(cls, dir: Path, mine: Path | None = None) -> Scrub:
        """Over what is loaded in a data directory; `mine` is a file with rules of the user's own."""
        rules = own_rules() if mine is None else unique([*own_rules(), *user_rules(mine)])
        wanted = {name for rule in rules for name in rule.tables} | set(PRICE_TABLES)
        loaded = (Path(dir) / "terminology").is_dir() and any((Path(dir) / "terminology").glob("*.sqlite"))
        return cls.over(open_all(dir, open_terminology(dir) if loaded else None, wanted), rules)

    @cached_property
    def stamp(self) -> Stamp:
        """What the answers rest on."""
        return Stamp(self.edits, self.prices.releases)

    @cached_property
    def columns(self) -> dict[str, set[str]]:
        """Frame → the columns of it that edits and prices ask."""
        edits = self.edits.columns
        return {name: edits.get(name, set()) | set(_ASKED.get(name, ())) for name in {**edits, **_ASKED}}

    def one(self, record: Record, head: Head) -> Result:
        """One claim; its rows are put right in place."""
        repairs = repair(record)
        prices = self.prices.of_frames(frames([record], _ASKED))
        if len(record["lines"]) > MANY_LINES:  # line by line, the work grows with the square of the lines
            sheet = beside(frames([record]), prices)
            (found,) = self._findings([record], self.edits.of_frames(sheet))
        else:
            put([record], prices)
            found = self.edits.of_record(record)
        return Result(head, record, found, repairs, list(_priced(prices)))

    def many(self, records: Sequence[Record], heads: Sequence[Head]) -> Many:
        """Claims whose rows are numbered from 0 in their order."""
        repairs = [repair(record) for record in records]
        sheet = frames(records, self.columns)
        prices = self.prices.of_frames(sheet)
        found = self._findings(records, self.edits.of_frames(beside(sheet, prices)))
        each = _priced(prices)
        results = [
            Result(head, record, mine, put, [next(each) for _ in record["lines"]])
            for head, record, mine, put in zip(heads, records, found, repairs, strict=True)
        ]
        return Many(results, prices)

    def _findings(self, records: Sequence[Record], found: pl.DataFrame) -> list[list[Finding]]:
        """The findings of each claim."""
        rules = [(rule, SCOPES[rule.scope][0]) for rule in self.edits.active]
        findings: list[list[Finding]] = [[] for _ in records]
        for row, number, place in found.iter_rows():
            rule, collection = rules[number]
            one = (
                Finding(rule, None, None) if place < 0 else Finding(rule, place, records[row][collection][place]["seq"])
            )
            findings[row].append(one)
        return findings


def _priced(frame: pl.DataFrame) -> Iterator[Priced]:
    return (Priced(*row) for row in frame.select(_PRICED).iter_rows())


def read_heads(bodies: Sequence[bytes]) -> list[Head]:
    """The heads of claims that were read."""
    return [read_head(body) for body in bodies]
