"""Rules, tables and prices opened once, to scrub claims one by one or many at a time with the same result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from claims.answer.head import Head
from claims.answer.repair import repair, repair_many
from claims.answer.response import Priced, Result
from claims.answer.stamp import Stamp
from claims.edit import Edits, Finding
from claims.price.beside import COLUMNS as BESIDE
from claims.price.beside import beside, put
from claims.price.grouped import put_groups
from claims.price.price import TABLES as PRICE_TABLES
from claims.price.price import Prices
from claims.rules.rule import Rule, own_rules, unique, user_rules
from claims.sheet.schema import SCOPES
from claims.sheet.sheet import Sheet
from claims.tables.all import open_all
from claims.tables.table import Table
from terminology import open_terminology

Record = Mapping[str, Any]
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
    """What was found of many claims: a result for each, and as tables the findings and the prices of all lines.

    `found` has `row`, `rule` as in `Edits.active`, and `place` (-1: the claim itself).
    """

    results: Sequence[Result]
    found: pl.DataFrame
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
        put_groups([record])
        prices = self.prices.of_record(record, (*_PRICED, *BESIDE))
        put([record], [values[len(_PRICED) :] for values in prices])
        if len(record["lines"]) > MANY_LINES:  # line by line, the work grows with the square of the lines
            sheet = Sheet.of([record])
            (found,) = self._findings(sheet, self.edits.of_frames(sheet.frames(self.columns)))
        else:
            found = self.edits.of_record(record)
        return Result(head, record, found, repairs, [Priced(*values[: len(_PRICED)]) for values in prices])

    def tables(self, records: Sheet | Sequence[Record]) -> Many:
        """Claims whose rows are numbered from 0 in their order, as tables alone."""
        return self._many(records, None)

    def many(self, records: Sheet | Sequence[Record], heads: Sequence[Head]) -> Many:
        """Claims whose rows are numbered from 0 in their order; those of a sheet are put right in place."""
        return self._many(records, heads)

    def _many(self, records: Sheet | Sequence[Record], heads: Sequence[Head] | None) -> Many:
        sheet = records if isinstance(records, Sheet) else Sheet.of(records)
        repairs = repair_many(sheet)
        put_groups(sheet[row] for row in _grouped(sheet))
        asked = sheet.frames(self.columns)
        prices = self.prices.of_frames(asked)
        rows = self.edits.of_frames(beside(asked, prices))
        if heads is None:
            return Many((), rows, prices)
        found = self._findings(sheet, rows)
        each = _priced(prices)
        counts = (after - first for first, after in (sheet.span("lines", row) for row in range(len(sheet))))
        results = [
            Result(head, record, mine, put, list(islice(each, count)))
            for head, record, mine, put, count in zip(heads, sheet, found, repairs, counts, strict=True)
        ]
        return Many(results, rows, prices)

    def _findings(self, sheet: Sheet, found: pl.DataFrame) -> list[list[Finding]]:
        """The findings of each claim."""
        rules = [(rule, SCOPES[rule.scope][0]) for rule in self.edits.active]
        findings: list[list[Finding]] = [[] for _ in range(len(sheet))]
        for row, number, place in found.iter_rows():
            rule, collection = rules[number]
            one = (None, None) if place < 0 else (place, sheet.number(collection, row, place))
            findings[row].append(Finding(rule, *one))
        return findings


def _grouped(sheet: Sheet) -> list[int]:
    """The claims that name the group of a stay."""
    return [row for row, drg in enumerate(sheet.columns["claims"]["drg"]) if drg is not None]


def _priced(frame: pl.DataFrame) -> Iterator[Priced]:
    return (Priced(*row) for row in frame.select(_PRICED).iter_rows())
