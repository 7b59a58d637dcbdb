"""Read the text of an expression into checked parts: Python's own grammar, a small part of it, nothing is ever run.

    units > mue(code, "practitioner").units                         of a line
    "59" in mods and rvu(code).global_days == "090"
    any(other.code == code and other.seq < seq for other in lines)
    claim.total != claim.lines_total

A name is a column of the row that the rule's scope asks about; `claim.name` a column of its claim.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from datetime import date
from typing import Any

from claims.expr.functions import FUNCTIONS
from claims.expr.sets import SETS
from claims.expr.tree import (
    NUMBERS,
    SCALARS,
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
    Type,
)
from claims.sheet.schema import CLAIM, COLLECTIONS, SCOPES
from claims.tables.schema import TABLES, TableDef
from fhir_profiles.errors import Category, FhirError

MAX_TEXT = 4_000
MAX_PARTS = 400
MAX_DEPTH = 60
EPOCH = date(1970, 1, 1).toordinal()
_COMPARES = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_SUMS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_EACH = frozenset({"any", "all", "count", "total", "most", "least"})


def read(text: str, scope: str, tables: Mapping[str, TableDef] = TABLES) -> Node:
    """The parts of an expression whose value is a flag; FhirError that names the column where it cannot be read."""
    if len(text) > MAX_TEXT:
        raise _error(f"An expression has at most {MAX_TEXT} characters")
    try:
        parsed = ast.parse(text.replace("\n", " ").strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = getattr(error, "offset", None)
        raise _error("The expression cannot be read" + (f" at column {at}" if at else "")) from None
    if sum(1 for _ in ast.walk(parsed)) > MAX_PARTS * 3:
        raise _error(f"An expression has at most {MAX_PARTS} parts")
    node = _Reader(scope, tables).part(parsed.body)
    if node.type not in ("flag", "null"):
        raise _error(f"The expression is a {node.type}; it must be true or false")
    return node


def _error(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "invalid", f"{text}.")


class _Reader:
    def __init__(self, scope: str, tables: Mapping[str, TableDef]) -> None:
        self._collection, self._columns = SCOPES[scope]
        self._tables = tables
        self._variables: dict[str, str] = {}
        self._depth = 0

    def part(self, at: ast.expr) -> Node:
        found = getattr(self, f"_{type(at).__name__.lower()}", None)
        if found is None:
            raise _refused(at, "this is not part of the language")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _refused(at, f"parts stand at most {MAX_DEPTH} deep in one another")
        node: Node = found(at)
        self._depth -= 1
        return node

    def _constant(self, at: ast.Constant) -> Node:
        value = at.value
        kinds: dict[type, Type] = {bool: "flag", str: "text", int: "whole", float: "number", type(None): "null"}
        if type(value) not in kinds:
            raise _refused(at, "a text, a number, True, False or None is expected")
        if isinstance(value, int) and not -(2**53) < value < 2**53:
            raise _refused(at, "the number is too large")
        return Const(kinds[type(value)], value)

    def _name(self, at: ast.Name) -> Node:
        if at.id in self._columns:
            return Column(self._columns[at.id], "", at.id)
        raise _refused(at, f"there is no column {at.id}" + (f"; write claim.{at.id}" if at.id in CLAIM else ""))

    def _attribute(self, at: ast.Attribute) -> Node:
        if isinstance(at.value, ast.Name):
            name = at.value.id
            columns = COLLECTIONS[self._variables[name]] if name in self._variables else CLAIM
            if name not in self._variables and name != "claim":
                raise _refused(at, f"{name} is not known here")
            if at.attr not in columns:
                raise _refused(at, f"there is no column {name}.{at.attr}")
            of = self._variables.get(name) or ("" if self._collection == "claims" else "claim")
            return Column(columns[at.attr], of, at.attr)
        if isinstance(at.value, ast.Call):
            return self._lookup(at.value, at.attr)
        raise _refused(at, "a column or a value of a table is expected")

    def _lookup(self, at: ast.Call, value: str) -> Node:
        name = at.func.id if isinstance(at.func, ast.Name) else ""
        table = self._tables.get(name)
        if table is None:
            raise _refused(at, "there is no such table")
        if value != "exists" and value not in table.values:
            raise _refused(at, f"the table {name} has no value {value}; it has {', '.join(table.values)}")
        keys = [self.part(a) for a in at.args]
        if not 1 <= len(keys) <= len(table.keys):
            raise _refused(at, f"the table {name} is asked with {', '.join(table.keys)}")
        keys += [Const("text", "")] * (len(table.keys) - len(keys))
        for key, wanted in zip(keys, table.keys.values(), strict=True):
            if key.type != wanted:
                raise _refused(at, f"a key of the table {name} is a {wanted}, not a {key.type}")
        given = {k.arg: self.part(k.value) for k in at.keywords}
        day = given.pop("on", None) or self._day()
        if given or day.type != "day":
            raise _refused(at, "only on=DAY can be said beside the keys")
        return Lookup("flag" if value == "exists" else table.values[value], name, tuple(keys), day, value)

    def _day(self) -> Node:
        """The day of service of the row asked about, or the first of the claim."""
        if self._collection == "lines":
            return Column("day", "", "start")
        return Column("day", "" if self._collection == "claims" else "claim", "first_service")

    def _boolop(self, at: ast.BoolOp) -> Node:
        parts = tuple(self._flag(value) for value in at.values)
        return Logic("flag", "and" if isinstance(at.op, ast.And) else "or", parts)

    def _flag(self, at: ast.expr) -> Node:
        node = self.part(at)
        if node.type not in ("flag", "null"):
            raise _refused(at, "something true or false is expected")
        return node

    def _unaryop(self, at: ast.UnaryOp) -> Node:
        if isinstance(at.op, ast.Not):
            if isinstance(at.operand, ast.UnaryOp) and isinstance(at.operand.op, ast.Not):  # twice is not at all
                return self._flag(at.operand.operand)
            return Not("flag", self._flag(at.operand))
        number = self.part(at.operand)
        if isinstance(at.op, ast.USub) and isinstance(number, Const) and number.type in ("whole", "number"):
            return Const(number.type, -number.value)
        raise _refused(at, "only a written number can be negative")

    def _binop(self, at: ast.BinOp) -> Node:
        op = _SUMS.get(type(at.op))
        left, right = self.part(at.left), self.part(at.right)
        if op is None or left.type not in NUMBERS or right.type not in NUMBERS:
            raise _refused(at, "numbers can be added, subtracted and multiplied")
        kinds = {left.type, right.type}
        kind: Type = "number" if "number" in kinds else "cents" if "cents" in kinds else "whole"
        if "day" in kinds and op != "*" and kinds <= {"day", "whole"}:
            kind = "day" if kinds == {"day", "whole"} else "whole"
        return Arithmetic(kind, op, left, right)  # type: ignore[arg-type]

    def _compare(self, at: ast.Compare) -> Node:
        parts: list[Node] = []
        lefts = [at.left, *at.comparators[:-1]]
        for left, op, right in zip(lefts, at.ops, at.comparators, strict=True):
            parts.append(self._one(at, self.part(left), op, right))
        return parts[0] if len(parts) == 1 else Logic("flag", "and", tuple(parts))

    def _one(self, at: ast.Compare, left: Node, op: ast.cmpop, right_at: ast.expr) -> Node:
        if isinstance(op, ast.In | ast.NotIn):
            found = self._in(at, left, right_at)
            return Not("flag", found) if isinstance(op, ast.NotIn) else found
        sign = _COMPARES.get(type(op))
        if sign is None:
            raise _refused(at, "write == None as missing(…)")
        right = self.part(right_at)
        left, right = _alike(left, right), _alike(right, left)
        same = left.type == right.type or {left.type, right.type} <= NUMBERS
        if "null" in (left.type, right.type) or not same or left.type not in SCALARS:
            raise _refused(at, f"a {left.type} cannot be compared with a {right.type}")
        if left.type == "flag" and sign not in ("==", "!="):
            raise _refused(at, "flags can only be equal or not")
        return Compare("flag", sign, left, right)  # type: ignore[arg-type]

    def _in(self, at: ast.Compare, left: Node, right_at: ast.expr) -> Node:
        if isinstance(right_at, ast.Name) and right_at.id in SETS and left.type == "text":
            return Among("flag", left, SETS[right_at.id])
        if isinstance(right_at, ast.Tuple | ast.Set | ast.List):
            values = [_alike(self.part(e), left) for e in right_at.elts]
            if not values or not all(isinstance(v, Const) and v.type == left.type for v in values):
                raise _refused(at, f"the values must be written out and be a {left.type} each")
            return Among("flag", left, tuple(v.value for v in values if isinstance(v, Const)))
        listed = self.part(right_at)
        if (left.type, listed.type) not in (("text", "texts"), ("whole", "wholes")):
            raise _refused(at, "in needs values written out or a column that is a list")
        return Holds("flag", left, listed)

    def _call(self, at: ast.Call) -> Node:
        if not isinstance(at.func, ast.Name):
            raise _refused(at, "this cannot be called")
        name = at.func.id
        if name in _EACH:
            return self._each(at, name)
        if name in self._tables:
            return self._lookup(at, "exists")
        if at.keywords:
            raise _refused(at, "a function takes no named values")
        if name == "day":
            return self._written_day(at)
        if name in ("meets", "within"):
            return self._meets(at, name)
        arguments = [self.part(a) for a in at.args]
        if name == "missing" and len(arguments) == 1:
            return Missing("flag", arguments[0])
        if name == "present" and len(arguments) == 1:
            return Not("flag", Missing("flag", arguments[0]))
        function = FUNCTIONS.get(name)
        if function is None:
            raise _refused(at, f"there is no function {name}")
        if why := function.refuses(arguments):
            raise _refused(at, f"{name}: {why}")
        return Call(function.gives, name, tuple(arguments))

    def _meets(self, at: ast.Call, name: str) -> Node:
        """A list column beside values that are written out, or a set."""
        if len(at.args) != 2:
            raise _refused(at, f'write {name}(LIST, ("a", "b")) or {name}(LIST, SET)')
        listed, chosen = self.part(at.args[0]), at.args[1]
        values: tuple[Any, ...] = ()
        if isinstance(chosen, ast.Tuple):
            values = tuple(e.value if isinstance(e, ast.Constant) else None for e in chosen.elts)
        elif isinstance(chosen, ast.Name):
            values = SETS.get(chosen.id, ())
        if listed.type != "texts" or not values or not all(isinstance(v, str) for v in values):
            raise _refused(at, f"{name} is asked of a list of texts, and of texts written out or a set")
        return Meets("flag", listed, values, name == "within")

    def _written_day(self, at: ast.Call) -> Node:
        try:
            (argument,) = at.args
            text = argument.value if isinstance(argument, ast.Constant) else None
            return Const("day", date.fromisoformat(str(text)).toordinal() - EPOCH)
        except ValueError:
            raise _refused(at, 'a day is written as day("2026-01-31")') from None

    def _each(self, at: ast.Call, kind: str) -> Node:
        if len(at.args) != 1 or not isinstance(at.args[0], ast.GeneratorExp) or len(at.args[0].generators) != 1:
            raise _refused(at, f"write {kind}(… for x in lines if …)")
        inner = at.args[0].generators[0]
        variable = inner.target.id if isinstance(inner.target, ast.Name) else ""
        collection = inner.iter.id if isinstance(inner.iter, ast.Name) else ""
        if (
            collection not in COLLECTIONS
            or not variable
            or variable in ("claim", *self._variables)
            or len(inner.ifs) > 1
        ):
            raise _refused(at, f"write {kind}(… for x in COLLECTION if …) with one of {', '.join(COLLECTIONS)}")
        if self._variables:
            raise _refused(at, "one such question cannot stand inside another")
        self._variables[variable] = collection
        value = self.part(at.args[0].elt)
        where = self._flag(inner.ifs[0]) if inner.ifs else None
        del self._variables[variable]
        asks = frozenset({"flag"}) if kind in ("any", "all", "count") else NUMBERS
        if value.type not in asks:
            raise _refused(at, f"{kind} is asked of a {' or '.join(sorted(asks))}")
        gives: Type = "flag" if kind in ("any", "all") else "whole" if kind == "count" else value.type
        return Each(gives, kind, collection, value, where)  # type: ignore[arg-type]


def _alike(node: Node, other: Node) -> Node:
    """A written number as what it is compared with: 1.5 of cents stays refused, 10 of cents is ten cents."""
    if isinstance(node, Const) and node.type == "whole" and other.type in NUMBERS:
        return Const(other.type, float(node.value) if other.type == "number" else node.value)
    return node


def _refused(at: Any, why: str) -> FhirError:
    return _error(f"Column {getattr(at, 'col_offset', 0) + 1}: {why}")
