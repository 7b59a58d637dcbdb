"""Expressions over one claim, as nested closures: the same answers as over tables, without their start-up cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
)  # fmt: skip
from claims.tables.table import Table

Row = Mapping[str, Any]
Record = Mapping[str, Any]
"""`claim` is a row, `lines` and the other collections are lists of rows."""

FOUND = "#found"
"""Under this name a record may carry a dict, in which the rows of tables are kept: many rules ask for the same ones."""

Ask = Callable[[Row, Record, Any], Any]
"""The value for a row of a record, and for a row of the collection that `Each` goes over."""

_COMPARES: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
_SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b
}  # fmt: skip


def single(node: Node, tables: Mapping[str, Table]) -> Ask:
    """The function of an expression."""
    return _MAKERS[type(node)](node, tables)


def _const(node: Const, _tables: Mapping[str, Table]) -> Ask:
    value = node.value
    return lambda _own, _record, _other: value


def _column(node: Column, _tables: Mapping[str, Table]) -> Ask:
    name = node.name
    if node.of == "":
        return lambda own, _record, _other: own[name]
    if node.of == "claim":
        return lambda _own, record, _other: record["claim"][name]
    return lambda _own, _record, other: other[name]


def _both(left: Ask, right: Ask, do: Callable[[Any, Any], Any]) -> Ask:
    def ask(own: Row, record: Record, other: Any) -> Any:
        a = left(own, record, other)
        if a is None:
            return None
        b = right(own, record, other)
        return None if b is None else do(a, b)

    return ask


def _arithmetic(node: Arithmetic, tables: Mapping[str, Table]) -> Ask:
    return _both(single(node.left, tables), single(node.right, tables), _SUMS[node.op])


def _compare(node: Compare, tables: Mapping[str, Table]) -> Ask:
    return _both(single(node.left, tables), single(node.right, tables), _COMPARES[node.op])


def _logic(node: Logic, tables: Mapping[str, Table]) -> Ask:
    parts = [single(part, tables) for part in node.parts]
    decisive = node.op == "or"

    def ask(own: Row, record: Record, other: Any) -> Any:
        unknown = False
        for part in parts:
            found = part(own, record, other)
            if found is decisive:
                return decisive
            unknown = unknown or found is None
        return None if unknown else not decisive

    return ask


def _not(node: Not, tables: Mapping[str, Table]) -> Ask:
    of = single(node.of, tables)

    def ask(own: Row, record: Record, other: Any) -> Any:
        found = of(own, record, other)
        return None if found is None else not found

    return ask


def _missing(node: Missing, tables: Mapping[str, Table]) -> Ask:
    of = single(node.of, tables)
    if node.of.type in ("text", "texts", "wholes"):
        return lambda own, record, other: not of(own, record, other)
    return lambda own, record, other: of(own, record, other) is None


def _among(node: Among, tables: Mapping[str, Table]) -> Ask:
    of, values = single(node.of, tables), frozenset(node.values)

    def ask(own: Row, record: Record, other: Any) -> Any:
        found = of(own, record, other)
        return None if found is None else found in values

    return ask


def _holds(node: Holds, tables: Mapping[str, Table]) -> Ask:
    return _both(single(node.item, tables), single(node.list, tables), lambda item, listed: item in listed)


def _meets(node: Meets, tables: Mapping[str, Table]) -> Ask:
    of, values, every = single(node.list, tables), frozenset(node.values), node.every

    def ask(own: Row, record: Record, other: Any) -> Any:
        listed = of(own, record, other)
        if listed is None:
            return None
        return values.issuperset(listed) if every else not values.isdisjoint(listed)

    return ask


def _call(node: Call, tables: Mapping[str, Table]) -> Ask:
    do = FUNCTIONS[node.name].single
    arguments = [single(a, tables) for a in node.arguments]

    def ask(own: Row, record: Record, other: Any) -> Any:
        values = [a(own, record, other) for a in arguments]
        return None if any(v is None for v in values) else do(*values)

    return ask


def _lookup(node: Lookup, tables: Mapping[str, Table]) -> Ask:
    table, name = tables[node.table], node.value
    keys, day = [single(key, tables) for key in node.keys], single(node.day, tables)

    title = node.table

    def ask(own: Row, record: Record, other: Any) -> Any:
        values, on = tuple([key(own, record, other) for key in keys]), day(own, record, other)
        found = record.get(FOUND)
        if found is None:
            row = table.find(values, on)
        else:
            at = title, values, on
            row = found.get(at)
            if row is None:
                row = found[at] = table.find(values, on)
        if name == "exists":
            return None if on is None or None in values else row >= 0
        return table.value(row, name)

    return ask


def _each(node: Each, tables: Mapping[str, Table]) -> Ask:
    value = single(node.value, tables)
    where = single(node.where, tables) if node.where is not None else None
    collection, finish = node.collection, _FINISH[node.kind]

    def ask(own: Row, record: Record, _other: Any) -> Any:
        rows = record[collection]
        chosen = rows if where is None else [row for row in rows if where(own, record, row)]
        return finish([value(own, record, row) for row in chosen])

    return ask


_FINISH: dict[str, Callable[[list[Any]], Any]] = {
    "any": lambda found: True in found,
    "all": lambda found: all(v is True for v in found),
    "count": lambda found: found.count(True),
    "total": lambda found: sum(v for v in found if v is not None),
    "most": lambda found: max((v for v in found if v is not None), default=None),
    "least": lambda found: min((v for v in found if v is not None), default=None),
}
_MAKERS: dict[type[Node], Callable[[Any, Mapping[str, Table]], Ask]] = {
    Const: _const, Column: _column, Arithmetic: _arithmetic, Compare: _compare, Logic: _logic, Not: _not,
    Missing: _missing, Among: _among, Holds: _holds, Meets: _meets, Call: _call, Lookup: _lookup, Each: _each,
}  # fmt: skip
