"""Expressions over whole tables of claims: one Polars expression each, lookups and neighbours found beforehand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

import numpy as np
import polars as pl

from claims.expr.functions import FUNCTIONS
from claims.expr.tree import (
    Among,
    Arithmetic,
    Call,
    Column,
    Compare,
    Const,
    Each,
    Holds,
    Logic,
    Lookup,
    Meets,
    Missing,
    Node,
    Not,
    walk,
)  # fmt: skip
from claims.sheet.schema import SCOPES
from claims.tables.table import Array, Distinct, Table, distinct

_EVERY_ROW = pl.int_range(pl.len()).alias("#")
"""Beside which a value that is written out is one for each row."""

Frames = Mapping[str, pl.DataFrame]
"""`claims`, `lines` and the others; `row` is the number of the claim, in order and without gaps from 0."""

_COMPARES = {
    "==": pl.Expr.__eq__, "!=": pl.Expr.__ne__, "<": pl.Expr.__lt__, "<=": pl.Expr.__le__, ">": pl.Expr.__gt__,
    ">=": pl.Expr.__ge__,
}  # fmt: skip
_FLAGS = frozenset({"any", "all", "count"})
"""The kinds of `Each` whose values are flags; one that is not known counts as false."""

_TYPES = {
    "text": pl.String, "whole": pl.Int64, "number": pl.Float64, "flag": pl.Boolean, "day": pl.Int64,
    "cents": pl.Int64, "null": pl.Boolean,
}  # fmt: skip


class Questions:
    """Expressions of one scope that are asked together."""

    def __init__(self, scope: str, nodes: Mapping[str, Node]) -> None:
        self.collection = SCOPES[scope][0]
        self.nodes = dict(nodes)
        eaches = dict.fromkeys(n for node in nodes.values() for n in walk(node) if isinstance(n, Each))
        self._names: dict[Node, str] = {each: f"#e{n}" for n, each in enumerate(eaches)}
        self._near = [each for each in eaches if self.collection != "claims" and _is_near(each)]
        self._far = [each for each in eaches if each not in self._near]
        self._asked = _Asked(self.nodes, self._names)
        self._totals = {
            (near, collection): _Totals([each for each in chosen if each.collection == collection])
            for near, chosen in ((False, self._far), (True, self._near))
            for collection in dict.fromkeys(each.collection for each in chosen)
        }

    def ask(self, frames: Frames, tables: Mapping[str, Table]) -> pl.DataFrame:
        """A column of flags for each expression, in the order of the rows of the scope."""
        texts = _Texts(frames, self.collection)
        frame = frames[self.collection].with_columns(
            column for near in (False, True) for column in self._each_columns(frames, tables, texts, near=near)
        )
        return self._asked.of(frame, frames, tables, texts)

    def _each_columns(
        self, frames: Frames, tables: Mapping[str, Table], texts: _Texts, *, near: bool
    ) -> Iterator[pl.Series]:
        """What `Each` says: of a claim once, or where it depends on the row of every pair of row and neighbour."""
        own, claims = frames[self.collection], len(frames["claims"])
        for (is_near, collection), totals in self._totals.items():
            if is_near != near:
                continue
            other = frames[collection]["row"].to_numpy()
            left, right = _pairs(own["row"].to_numpy(), other, claims) if near else (other, np.arange(len(other)))
            frame = self._beside(totals, frames, left, right)
            beside = texts.beside(collection, left, right)
            many = len(own) if near else claims
            for each, found in zip(totals.eaches, totals.of(frame, left, many, frames, tables, beside), strict=True):
                here = found if near or self.collection == "claims" else found[own["row"]]
                yield here.alias(self._names[each])

    def _beside(self, totals: _Totals, frames: Frames, left: Array, right: Array) -> pl.DataFrame:
        """The columns that are used of rows, of their neighbours and of the claims of both."""
        own = frames[self.collection]
        lefts, rights = pl.Series("#left", left, pl.UInt32), pl.Series(right, dtype=pl.UInt32)
        claims = frames[totals.collection]["row"][rights]
        columns = [lefts]
        for of, name in totals.used:
            if of == "claim":
                columns.append(frames["claims"][name][claims].alias(f"claim.{name}"))
            elif of:
                columns.append(frames[of][name][rights].alias(f"{of}.{name}"))
            else:
                columns.append(own[name][lefts].alias(name))
        return pl.DataFrame(columns)


class _Texts:
    """The texts that are keys of tables, each column numbered once however often it is asked, and beside neighbours."""

    def __init__(self, frames: Frames, collection: str) -> None:
        self._frames, self._collection = frames, collection
        self._columns: dict[tuple[str, str], Distinct] = {}
        self._places: dict[str, Array] = {} if collection == "claims" else {"claim": _claim_rows(frames, collection)}

    def beside(self, collection: str, left: Array, right: Array) -> _Texts:
        """The same of pairs of a row and a row of another collection."""
        found = _Texts(self._frames, self._collection)
        found._columns = self._columns
        found._places = {"": left, collection: right, "claim": _claim_rows(self._frames, collection)[right]}
        return found

    def of(self, key: Node, rows: int) -> Distinct | None:
        """A column or a value that is written out; None for what must be evaluated."""
        if isinstance(key, Const):
            return Distinct([key.value], np.zeros(rows, np.int64)) if isinstance(key.value, str) else None
        if isinstance(key, Call):
            return self._part(key, rows)
        if not isinstance(key, Column):
            return None
        collection = "claims" if key.of == "claim" else key.of or self._collection
        at = (collection, key.name)
        if at not in self._columns:
            self._columns[at] = distinct(self._frames[collection][key.name])
        found, places = self._columns[at], self._places.get(key.of)
        return found if places is None else found.at(places)

    def _part(self, key: Call, rows: int) -> Distinct | None:
        """Part of a column, taken once of each distinct text."""
        of, *between = key.arguments
        whole = self.of(of, rows) if key.name == "part" and isinstance(of, Column) else None
        if whole is None:
            return None
        first, last = (node.value for node in between if isinstance(node, Const))
        return Distinct([text[first - 1 : last] for text in whole.texts], whole.numbers)


def _claim_rows(frames: Frames, collection: str) -> Array:
    return frames[collection]["row"].to_numpy()


def _is_near(each: Each) -> bool:
    return any(isinstance(n, Column) and n.of == "" for n in walk(each))


def _pairs(own: Array, other: Array, claims: int) -> tuple[Array, Array]:
    """The places of every row and of every row of the same claim in the other collection."""
    counts = np.bincount(other, minlength=claims)
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    many = counts[own]
    left = np.repeat(np.arange(len(own)), many)
    first = np.repeat(np.cumsum(many) - many, many)
    return left, np.arange(len(left)) - first + np.repeat(starts[own], many)


class _Totals:
    """What is asked of all rows of one collection, prepared once."""

    def __init__(self, eaches: Sequence[Each]) -> None:
        self.eaches = eaches
        self.collection = eaches[0].collection
        self.used = list(dict.fromkeys((n.of, n.name) for n in walk(tuple(eaches)) if isinstance(n, Column)))
        asked: dict[str, Node] = {f"v{n}": each.value for n, each in enumerate(eaches)}
        asked |= {f"w{n}": each.where for n, each in enumerate(eaches) if each.where is not None}
        flags = {f"v{n}" for n, each in enumerate(eaches) if each.kind in _FLAGS}
        self._asked = _Asked(asked, {}, flags | {name for name in asked if name[0] == "w"})

    def of(
        self, frame: pl.DataFrame, groups: Array, many: int, frames: Frames, tables: Mapping[str, Table], texts: _Texts
    ) -> Iterator[pl.Series]:
        """What each of them says of each group of rows."""
        answer = self._asked.of(frame, frames, tables, texts)
        for n, each in enumerate(self.eaches):
            chosen = answer[f"w{n}"] if each.where is not None else None
            yield _total(each.kind, answer[f"v{n}"], chosen, groups, many)


def _total(kind: str, value: pl.Series, chosen: pl.Series | None, groups: Array, many: int) -> pl.Series:
    if kind in _FLAGS:
        wanted = ~value if kind == "all" else value
        mask = (wanted if chosen is None else wanted & chosen).to_numpy()
        counts = np.bincount(groups[mask], minlength=many)
        return pl.Series(counts if kind == "count" else counts == 0 if kind == "all" else counts > 0)
    kept = value.is_not_null() if chosen is None else chosen & value.is_not_null()
    how = {"total": pl.col("v").sum(), "most": pl.col("v").max(), "least": pl.col("v").min()}[kind]
    totals = pl.DataFrame({"g": groups, "v": value}).filter(kept).group_by("g").agg(how)
    full = pl.DataFrame({"g": np.arange(many)}).join(totals, on="g", how="left", maintain_order="left")["v"]
    return full.fill_null(0) if kind == "total" else full


class _Asked:
    """Expressions made ready for every batch: what they need, and their Polars form; nulls of `sure` are false."""

    def __init__(self, nodes: Mapping[str, Node], names: Mapping[Node, str], sure: Collection[str] = ()) -> None:
        columns, lookups = _needs(nodes.values(), set(names))
        self._of_claim = list(dict.fromkeys(c.name for c in columns if c.of == "claim"))
        known = dict(names)
        self._depths: list[list[_Asking]] = []
        for depth in _by_depth(lookups):
            grouped: dict[tuple[str, tuple[Node, ...], Node], list[Lookup]] = {}
            for lookup in depth:
                grouped.setdefault((lookup.table, lookup.keys, lookup.day), []).append(lookup)
            askings = [_Asking(*asked, known) for asked in grouped]
            for asking, group in zip(askings, grouped.values(), strict=True):
                for lookup in group:
                    known[lookup] = f"#l{len(known)}"
                    asking.values.append((lookup.value, known[lookup]))
            self._depths.append(askings)
        self._columns = []
        for name, node in nodes.items():
            column = _expr(node, known)
            self._columns.append((column.fill_null(value=False) if name in sure else column).alias(name))

    def of(self, frame: pl.DataFrame, frames: Frames, tables: Mapping[str, Table], texts: _Texts) -> pl.DataFrame:
        """Their values over a frame that has, or can be given, every column they name."""
        missing = [name for name in self._of_claim if f"claim.{name}" not in frame.columns]
        if missing:
            row = frame["row"]
            frame = frame.with_columns(frames["claims"][name][row].alias(f"claim.{name}") for name in missing)
        for askings in self._depths:
            frame = frame.with_columns(column for asking in askings for column in asking.of(frame, tables, texts))
        return frame.select(_EVERY_ROW, *self._columns).drop("#")


class _Asking:
    """A table asked with one set of keys on one day for one or more of its values."""

    def __init__(self, table: str, keys: tuple[Node, ...], day: Node, known: Mapping[Node, str]) -> None:
        self._table, self._keys = table, keys
        self._on = _expr(day, known).cast(pl.Int64).alias("day")
        self._texts = [_expr(key, known).cast(pl.String).alias("key") for key in keys]
        self.values: list[tuple[str, str]] = []

    def of(self, frame: pl.DataFrame, tables: Mapping[str, Table], texts: _Texts) -> Iterator[pl.Series]:
        """The values, and whether there are any, null where that could not be asked."""
        on, table = frame.select(_EVERY_ROW, self._on)["day"], tables[self._table]
        keys = [
            texts.of(key, len(frame)) or distinct(frame.select(_EVERY_ROW, text)["key"])
            for key, text in zip(self._keys, self._texts, strict=True)
        ]
        at = table.find_many(keys, on)
        for value, name in self.values:
            if value == "exists":
                could = on.is_not_null().to_numpy() & np.all([column.numbers >= 0 for column in keys], axis=0)
                yield pl.Series(name, at >= 0).set(pl.Series(~could), None)
            else:
                yield table.column(at, value).alias(name)


def _needs(nodes: Iterable[Node], skip: set[Node]) -> tuple[list[Column], list[Lookup]]:
    """The columns and lookups of expressions, but for those inside what is found already."""
    columns: dict[Column, None] = {}
    lookups: dict[Lookup, None] = {}

    def look(node: Any) -> None:
        if isinstance(node, tuple):
            for one in node:
                look(one)
        elif isinstance(node, Node) and node not in skip:
            if isinstance(node, Column):
                columns[node] = None
            for name in node.__struct_fields__:
                look(getattr(node, name))
            if isinstance(node, Lookup):
                lookups[node] = None

    for node in nodes:
        look(node)
    return list(columns), list(lookups)


def _by_depth(lookups: Sequence[Lookup]) -> list[list[Lookup]]:
    """Lookups so that what a key asks comes before the lookup that has the key."""
    depths: dict[int, list[Lookup]] = {}
    for lookup in lookups:
        inner = sum(1 for n in walk((lookup.keys, lookup.day)) if isinstance(n, Lookup))
        depths.setdefault(inner, []).append(lookup)
    return [depths[d] for d in sorted(depths)]


def _expr(node: Node, known: Mapping[Node, str]) -> pl.Expr:
    if node in known:
        return pl.col(known[node])
    match node:
        case Const():
            return pl.lit(node.value, _TYPES[node.type])
        case Column():
            return pl.col(f"{node.of}.{node.name}" if node.of else node.name)
        case Arithmetic():
            left, right = _expr(node.left, known), _expr(node.right, known)
            return left + right if node.op == "+" else left - right if node.op == "-" else left * right
        case Compare():
            return _COMPARES[node.op](_expr(node.left, known), _expr(node.right, known))
        case Logic():
            return reduce(and_ if node.op == "and" else or_, (_expr(part, known) for part in node.parts))
        case Not():
            return ~_expr(node.of, known)
        case Missing():
            return _missing(node.of, _expr(node.of, known))
        case Among():
            return _expr(node.of, known).is_in(list(node.values))
        case Holds():
            item, listed = _expr(node.item, known), _expr(node.list, known)
            return pl.when(item.is_null() | listed.is_null()).then(None).otherwise(listed.list.contains(item))
        case Meets():
            each = _expr(node.list, known).list.eval(pl.element().is_in(list(node.values)))
            return each.list.all() if node.every else each.list.any()
        case Call():
            arguments = [_expr(a, known) for a in node.arguments]
            unknown = [e.is_null() for a, e in zip(node.arguments, arguments, strict=True) if not isinstance(a, Const)]
            found = FUNCTIONS[node.name].columns(*arguments)
            return pl.when(reduce(or_, unknown)).then(None).otherwise(found) if unknown else found
    raise TypeError(type(node).__name__)  # the reader makes no other


def _missing(of: Node, value: pl.Expr) -> pl.Expr:
    if of.type == "text":
        return value.is_null() | (value == "").fill_null(value=True)
    if of.type in ("texts", "wholes"):
        return value.is_null() | (value.list.len() == 0).fill_null(value=True)
    return value.is_null()
