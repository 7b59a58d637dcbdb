"""Expressions over one claim, written as Python: the same answers as over tables, without their start-up cost.

Only what `read` has checked is written, never a text that was given: names of columns come from the schema, and every
value that a rule writes out is handed over beside. A flag is written as what is true where it is so, or where it is
not so; where neither is true it is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import add
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
    walk,
)  # fmt: skip
from claims.tables.table import Table

Row = Mapping[str, Any]
Record = Mapping[str, Any]
"""`claim` is a row, `lines` and the other collections are lists of rows."""

_OTHERWISE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_DEEP = 40
"""Parts below so many others become functions of their own: Python nests brackets only so far."""


def single(node: Node, tables: Mapping[str, Table]) -> Callable[[Row, Record], Any]:
    """The value of an expression for a row of a record."""
    writer = _Writer(tables)
    value = writer.value(node)
    return writer.function("own, record", ["known = {}", *writer.start(), f"return {value}"])


def told(node: Node, leaves: Sequence[Node]) -> Callable[..., Any]:
    """The value of an expression from those of the columns and answers that it rests on."""
    writer = _Writer({}, {leaf: f"v{number}" for number, leaf in enumerate(leaves)})
    value = writer.value(node)
    return writer.function(", ".join(f"v{number}" for number in range(len(leaves))), [f"return {value}"])


def broken(
    nodes: Iterable[tuple[int, Node]], tables: Mapping[str, Table]
) -> Callable[[Row, Record, dict[Any, int], Callable[[int], None]], None]:
    """What hands over the numbers of the expressions that are true of a row; the dict keeps rows of tables."""
    writer = _Writer(tables)
    lines = [f"if {writer.flag(node, True)}: hit({number})" for number, node in nodes]
    return writer.function("own, record, known, hit", [*writer.start(), *lines])


class _Writer:
    """Writes expressions; `given` are parts whose values have names already."""

    def __init__(self, tables: Mapping[str, Table], given: Mapping[Node, str] | None = None) -> None:
        self._tables = tables
        self._given = dict(given or {})
        self._names: dict[str, Any] = {"reduce": reduce, "add": add}
        self._columns: dict[tuple[str, str], str] = {}
        self._collections: dict[str, str] = {}
        self._count = self._depth = 0

    def start(self) -> list[str]:
        """What comes before: the columns and collections that are used, by short names."""
        lines = ["claim = record['claim']"] if any(of == "claim" for of, _ in self._columns) else []
        lines += [f"{short} = {of or 'own'}[{name!r}]" for (of, name), short in self._columns.items()]
        return lines + [f"{short} = record[{name!r}]" for name, short in self._collections.items()]

    def function(self, takes: str, lines: list[str]) -> Callable[..., Any]:
        """A function of lines that were written."""
        text = "\n    ".join([f"def written({takes}):", *(lines or ["pass"])])
        space = dict(self._names)
        exec(compile(text, "<rules>", "exec"), space)  # noqa: S102, of nothing but names and brackets, see above
        found: Callable[..., Any] = space["written"]
        return found

    def flag(self, node: Node, wanted: bool) -> str:
        """What is true where a flag is as wanted, and false or None elsewhere."""
        if node in self._given:
            return f"({self._given[node]} is {wanted})"
        match node:
            case Not():
                return self.flag(node.of, not wanted)
            case Logic():
                return self._deeper(node, lambda: self._logic_flag(node, wanted), f" is {wanted}")
            case Compare() | Among() | Holds() | Meets():
                return self._deeper(node, lambda: self._test_flag(node, wanted), f" is {wanted}")
            case Missing():
                return self._missing_flag(node, wanted)
            case Lookup() if node.value == "exists":
                return f"({self._lookup_row(node)} {'> -1' if wanted else '== -1'})"
            case Each():
                return self._each_flag(node, wanted)
        return f"({self.value(node)} is {wanted})"

    def value(self, node: Node) -> str:
        """What gives the value, or None."""
        if node in self._given:
            return self._given[node]
        return self._deeper(node, lambda: getattr(self, f"_{type(node).__name__.lower()}")(node))

    def _deeper(self, node: Node, write: Callable[[], str], then: str = "") -> str:
        """What is written of a part, or the call of a function that gives its value, which `then` is asked of."""
        self._depth += 1
        if self._depth <= _DEEP:
            text = write()
        else:
            inner = _Writer(self._tables, self._given)
            value, given = inner.value(node), dict.fromkeys(self._given.values())
            names = ["own", "record", "other", "known", *given]
            aside = self._keep(inner.function(", ".join(names), [*inner.start(), f"return {value}"]))
            rows = ["None"] * 4 if given else ["own", "record", "other" if _has_other(node) else "None", "known"]
            text = f"({aside}({', '.join([*rows, *given])}){then})"
        self._depth -= 1
        return text

    def _keep(self, value: Any) -> str:
        """A name for a value."""
        self._count += 1
        name = f"k{self._count}"
        self._names[name] = value
        return name

    def _known(self, *nodes: Node) -> tuple[list[str], list[str]]:
        """(what must be so for all to be known, how they are called then)."""
        must, names = [], []
        for node in nodes:
            text = self.value(node)
            if isinstance(node, Const) and node.value is not None:
                names.append(text)
                continue
            if not text.isidentifier():
                self._count += 1
                name = f"w{self._count}"
                must.append(f"({name} := {text}) is not None")
                names.append(name)
            else:
                must.append(f"{text} is not None")
                names.append(text)
        return must, names

    def _const(self, node: Const) -> str:
        if node.value is None or isinstance(node.value, bool):
            return str(node.value)
        return self._keep(node.value)

    def _column(self, node: Column) -> str:
        if node.of not in ("", "claim"):
            return f"other[{node.name!r}]"
        return self._columns.setdefault((node.of, node.name), f"{node.of or 'own'}_{node.name}")

    def _arithmetic(self, node: Arithmetic) -> str:
        must, (left, right) = self._known(node.left, node.right)
        return f"({left} {node.op} {right} if {' and '.join(must) or True} else None)"

    def _test(self, node: Node, wanted: bool) -> tuple[list[str], str]:
        """(what must be so for a test to be known, the test)."""
        sign = "" if wanted else "not "
        match node:
            case Compare():
                must, (left, right) = self._known(node.left, node.right)
                return must, f"{left} {node.op if wanted else _OTHERWISE[node.op]} {right}"
            case Among():
                must, (name,) = self._known(node.of)
                return must, f"{name} {sign}in {self._keep(frozenset(node.values))}"
            case Holds():
                must, (item, listed) = self._known(node.item, node.list)
                return must, f"{item} {sign}in {listed}"
            case Meets():
                must, (listed,) = self._known(node.list)
                how, sign = "issuperset" if node.every else "isdisjoint", "" if wanted is node.every else "not "
                return must, f"{sign}{self._keep(frozenset(node.values))}.{how}({listed})"
        raise TypeError(type(node).__name__)  # no other is a test

    def _test_flag(self, node: Node, wanted: bool) -> str:
        must, test = self._test(node, wanted)
        return f"({' and '.join([*must, test])})"

    def _test_value(self, node: Node) -> str:
        must, test = self._test(node, True)
        return f"({test} if {' and '.join(must) or True} else None)"

    _compare = _among = _holds = _meets = _test_value

    def _logic_flag(self, node: Logic, wanted: bool) -> str:
        word = f" {node.op} " if wanted else " or " if node.op == "and" else " and "
        return f"({word.join(self.flag(part, wanted) for part in sorted(node.parts, key=_cost))})"

    def _logic(self, node: Logic) -> str:
        parts = "".join(f"{self.value(part)}, " for part in node.parts)
        return f"{self._keep(_either if node.op == 'or' else _both)}(({parts}))"

    def _not(self, node: Not) -> str:
        must, (name,) = self._known(node.of)
        return f"(not {name} if {' and '.join(must) or True} else None)"

    def _missing(self, node: Missing) -> str:
        return self._missing_flag(node, True)

    def _missing_flag(self, node: Missing, wanted: bool) -> str:
        value = self.value(node.of)
        if node.of.type in ("text", "texts", "wholes"):
            return f"(not {value})" if wanted else f"(True if {value} else False)"
        return f"({value} is {'' if wanted else 'not '}None)"

    def _call(self, node: Call) -> str:
        must, names = self._known(*node.arguments)
        if node.name == "days":
            call = f"{names[1]} - {names[0]}"
        elif node.name == "part":
            call = f"{names[0]}[{node.arguments[1].value - 1}:{node.arguments[2].value}]"  # type: ignore[attr-defined]
        elif node.name in ("length", "size"):
            call = f"len({names[0]})"
        elif node.name == "matches":
            call = f"{self._keep(re.compile(node.arguments[1].value).fullmatch)}({names[0]}) is not None"  # type: ignore[attr-defined]
        else:
            call = f"{self._keep(FUNCTIONS[node.name].single)}({', '.join(names)})"
        return f"({call} if {' and '.join(must) or True} else None)"

    def _lookup_row(self, node: Lookup) -> str:
        """The row of a table; -1 where there is none, -2 where a key or the day is not known."""
        ask = self._keep(_question(node.table, self._tables[node.table]))
        return f"{ask}(known, ({''.join(f'{self.value(key)}, ' for key in node.keys)}), {self.value(node.day)})"

    def _lookup(self, node: Lookup) -> str:
        if node.value == "exists":
            self._count += 1
            name = f"w{self._count}"
            return f"({name} > -1 if ({name} := {self._lookup_row(node)}) != -2 else None)"
        return f"{self._keep(self._tables[node.table].value)}({self._lookup_row(node)}, {node.value!r})"

    def _each_over(self, node: Each, *conditions: str) -> str:
        rows = self._collections.setdefault(node.collection, f"all_{node.collection}")
        where = [self.flag(node.where, True)] if node.where is not None else []
        asked = " and ".join([*where, *conditions])
        return f"for other in {rows}" + (f" if {asked}" if asked else "")

    def _each_flag(self, node: Each, wanted: bool) -> str:
        """`any`: there is one; `all`: there is none of which it is not so or not known."""
        against = f"not {self.flag(node.value, True)}" if node.kind == "all" else self.flag(node.value, True)
        there = f"any(True {self._each_over(node, against)})"
        rows = self._collections[node.collection]
        found = f"({rows} and {there})"
        return found if (node.kind == "any") is wanted else f"(not {found})"

    def _each(self, node: Each) -> str:
        if node.kind in ("any", "all"):
            return f"(True if {self._each_flag(node, True)} else False)"
        if node.kind == "count":
            return f"sum([1 {self._each_over(node, self.flag(node.value, True))}])"
        must, (name,) = self._known(node.value)
        values = f"[{name} {self._each_over(node, *must)}]"
        if node.kind == "total":
            return f"reduce(add, {values}, 0)"
        return f"{'max' if node.kind == 'most' else 'min'}({values}, default=None)"


def _has_other(node: Node) -> bool:
    """Whether it is a part of what is asked of a neighbour."""
    if isinstance(node, Each):
        return False
    if isinstance(node, Column):
        return node.of not in ("", "claim")
    parts = (getattr(node, name) for name in node.__struct_fields__)
    inner = (one for part in parts for one in (part if isinstance(part, tuple) else (part,)))
    return any(_has_other(one) for one in inner if isinstance(one, Node))


def _both(parts: tuple[bool | None, ...]) -> bool | None:
    return False if False in parts else None if None in parts else True


def _either(parts: tuple[bool | None, ...]) -> bool | None:
    return True if True in parts else None if None in parts else False


def _cost(node: Node) -> int:
    """Tables and neighbours are asked last."""
    return sum(4 if isinstance(one, Lookup | Call) else 20 if isinstance(one, Each) else 1 for one in walk(node))


def _question(title: str, table: Table) -> Callable[[dict[Any, int], tuple[Any, ...], int | None], int]:
    """The row of a table, which is looked for once for a claim."""
    find = table.find

    def ask(known: dict[Any, int], keys: tuple[Any, ...], day: int | None) -> int:
        at = title, keys, day
        row = known.get(at)
        if row is None:
            row = known[at] = -2 if day is None or None in keys else find(keys, day)
        return row

    return ask
