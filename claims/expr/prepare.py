"""Expressions made ready to be asked of many rows: each part once for all rules, and where it is asked least often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claims.expr.lookups import Answer, Question
from claims.expr.neighbours import Conditions, Many
from claims.expr.parts import (
    Alike,
    Compared,
    Elsewhere,
    Every,
    Failing,
    Named,
    Otherwise,
    Part,
    Reckoned,
    Told,
    Unknown,
    Written,
)  # fmt: skip
from claims.expr.single import single, told
from claims.expr.tree import (
    NUMBERS,
    Arithmetic,
    Call,
    Column,
    Compare,
    Const,
    Each,
    Logic,
    Lookup,
    Missing,
    Node,
    Not,
    walk,
)  # fmt: skip

_CODED = ("text", "texts", "wholes")
_FLAG = ("flag", "null")


class Prepared:
    """The parts of all expressions that are asked together, each of them once."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str, Node], Part] = {}
        self._questions: dict[tuple[str, str, str, tuple[Node, ...], Node], Question] = {}

    def part(self, node: Node, own: str, other: str = "") -> Part:
        """The part of a node that is asked of rows of a collection, or of pairs with those of another."""
        key = (own, other, node)
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = self._made(node, own, other)
        found.uses += 1
        return found

    def _made(self, node: Node, own: str, other: str) -> Part:
        leaves = list(dict.fromkeys(_leaves(node)))
        if not leaves:
            return Written(single(node, {})({}, {}), node.type)
        if elsewhere := _elsewhere(node, own, other):
            of, collection, moved = elsewhere
            return Elsewhere(of, self.part(moved, collection))
        match node:
            case Column():
                return Named(node.of, node.name)
            case Lookup():
                return Answer(self._question(node, own, other), node.value)
            case Each():
                return self._many(node, own)
        if len(leaves) == 1 and leaves[0].type in _CODED and not isinstance(node, Missing):
            return self._told(node, leaves, own, other)
        match node:
            case Logic():
                return Every([self.part(one, own, other) for one in _flat(node)], node.op == "or")
            case Not():
                return Otherwise(self.part(node.of, own, other))
            case Missing():
                return Unknown(self.part(node.of, own, other))
            case Compare():
                return self._compared(node, leaves, own, other)
            case Arithmetic():
                return Reckoned(node.op, self.part(node.left, own, other), self.part(node.right, own, other))
            case Call() if node.name == "days":
                start, end = node.arguments
                return Reckoned("-", self.part(end, own, other), self.part(start, own, other))
        return self._told(node, leaves, own, other)

    def _question(self, node: Lookup, own: str, other: str) -> Question:
        key = (own, other, node.table, node.keys, node.day)
        found = self._questions.get(key)
        if found is None:
            keys = [self.part(one, own, other) for one in node.keys]
            found = self._questions[key] = Question(node.table, keys, self.part(node.day, own, other))
        return found

    def _compared(self, node: Compare, leaves: list[Node], own: str, other: str) -> Part:
        left, right = node.left, node.right
        if left.type in NUMBERS and right.type in NUMBERS:
            return Compared(node.op, self.part(left, own, other), self.part(right, own, other))
        if isinstance(left, Const):
            left, right = right, left
        if left.type == "flag" and isinstance(right, Const):
            part = self.part(left, own, other)
            return part if right.value is (node.op == "==") else Otherwise(part)
        if left.type == "text" and node.op in ("==", "!="):
            return Alike(node.op, self.part(left, own, other), self.part(right, own, other))
        return self._told(node, leaves, own, other)

    def _told(self, node: Node, leaves: list[Node], own: str, other: str) -> Part:
        return Told([self.part(leaf, own, other) for leaf in leaves], told(node, leaves), node.type)

    def _many(self, node: Each, own: str) -> Part:
        node = _same_day(node)
        other = node.collection
        asked = list(_flat_and(node.where)) if node.where is not None else []
        value = None
        if node.kind in ("any", "count"):
            asked += _flat_and(node.value)
        elif node.kind != "all":
            value = self.part(node.value, own, other)
        conditions = Conditions([], [], [], [])
        for one in dict.fromkeys(asked):
            getattr(conditions, _side(one, other)).append(self._condition(one, own, other))
            for mine, theirs in _joins(one, other):
                conditions.same.append((self.part(mine, own), self.part(_moved(theirs, other), other)))
        if node.kind == "all":
            against = Failing(self._condition(node.value, own, other))
            getattr(conditions, _side(node.value, other)).append(against)
        for parts in (conditions.own, conditions.other, conditions.both):
            parts.sort(key=lambda part: part.cost)
        return Many(node.kind, other, conditions, value)

    def _condition(self, node: Node, own: str, other: str) -> Part:
        """A condition of a pair, asked where it depends on one of the two of all rows of that one."""
        match _side(node, other):
            case "own":
                return self.part(node, own)
            case "other":
                return self.part(_moved(node, other), other)
        return self.part(node, own, other)


def _of(node: Node) -> set[str]:
    """Where the columns of a node are."""
    found = set()
    for one in walk(node):
        if isinstance(one, Column):
            found.add(one.of)
    return found


def _free(node: Node) -> set[str]:
    """The same, without the columns of what `Each` goes over."""
    if isinstance(node, Each):
        return {of for of in _of(node) if of != node.collection}
    if isinstance(node, Column):
        return {node.of}
    return {of for inner in _inner(node) for of in _free(inner)}


def _inner(node: Any) -> Iterator[Node]:
    for name in node.__struct_fields__:
        value = getattr(node, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Node):
                yield one


def _elsewhere(node: Node, own: str, other: str) -> tuple[str, str, Node] | None:
    """(how the rows call it, the collection, the node asked there) of a part that does not depend on these rows."""
    free = _free(node)
    if own != "claims" and not free - {"claim"}:
        return "claim", "claims", _renamed(node, "claim", "")
    if other and "" in free and other not in free:
        return "", own, node
    if other and "" not in free:
        return other, other, _moved(node, other)
    return None


def _side(node: Node, other: str) -> str:
    free = _free(node)
    return "own" if other not in free else "other" if "" not in free else "both"


def _moved(node: Node, other: str) -> Node:
    """What is asked of neighbours, asked of them as rows of their own."""
    return _renamed(node, other, "")


def _renamed(node: Node, of: str, to: str) -> Node:
    names: dict[Node, Node] = {
        one: Column(one.type, to, one.name) for one in walk(node) if isinstance(one, Column) and one.of == of
    }
    renamed: Node = _replaced(node, names)
    return renamed


def _replaced(node: Any, names: Mapping[Node, Node]) -> Any:
    """A node in which some parts are others."""
    if isinstance(node, tuple):
        return tuple(_replaced(one, names) for one in node)
    if not isinstance(node, Node):
        return node
    if node in names:
        return names[node]
    return type(node)(*(_replaced(getattr(node, name), names) for name in node.__struct_fields__))


def _leaves(node: Node) -> Iterator[Node]:
    """The columns, answers of tables and questions of many that a node rests on."""
    if isinstance(node, Column | Lookup | Each):
        yield node
    else:
        for one in _inner(node):
            yield from _leaves(one)


def _flat(node: Logic) -> Iterator[Node]:
    for part in node.parts:
        if isinstance(part, Logic) and part.op == node.op:
            yield from _flat(part)
        else:
            yield part


def _flat_and(node: Node) -> Iterator[Node]:
    if isinstance(node, Logic) and node.op == "and":
        yield from _flat(node)
    else:
        yield node


def _joins(node: Node, other: str) -> Iterator[tuple[Node, Node]]:
    """What a neighbour must have in common with the row, where the node says nothing else."""
    if isinstance(node, Compare) and node.op == "==" and node.left.type in ("text", "day", "whole"):
        for mine, theirs in ((node.left, node.right), (node.right, node.left)):
            if _side(mine, other) == "own" and _side(theirs, other) == "other" and mine.type == theirs.type:
                yield mine, theirs


def _same_day(node: Each) -> Each:
    """Where neighbours are of the row's own day, their tables are asked on theirs: it is the same question for all."""
    asked = list(_flat_and(node.where)) if node.where is not None else []
    if node.kind in ("any", "count"):
        asked += _flat_and(node.value)
    days: dict[Node, Node] = {
        mine: theirs
        for one in asked for mine, theirs in _joins(one, node.collection)
        if mine.type == "day" and isinstance(mine, Column) and isinstance(theirs, Column) and mine.of == ""
    }  # fmt: skip
    return _on_their_day(node, days, node.collection) if days else node


def _on_their_day(node: Any, days: Mapping[Node, Node], other: str) -> Any:
    if isinstance(node, tuple):
        return tuple(_on_their_day(one, days, other) for one in node)
    if not isinstance(node, Node):
        return node
    if isinstance(node, Lookup) and node.day in days:
        asked = {of for key in node.keys for of in _free(key)}
        if other in asked and "" not in asked:
            return Lookup(node.type, node.table, node.keys, days[node.day], node.value)
    return type(node)(*(_on_their_day(getattr(node, name), days, other) for name in node.__struct_fields__))
