"""The parts of a rule's expression, checked and typed."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Type = Literal["text", "whole", "number", "flag", "day", "cents", "texts", "wholes", "null"]
SCALARS = frozenset({"text", "whole", "number", "flag", "day", "cents"})
NUMBERS = frozenset({"whole", "number", "cents", "day"})


class Node(msgspec.Struct, frozen=True):
    """One part; `type` is of its value, which may always be null: not known."""

    type: Type


class Const(Node, frozen=True):
    """A value that is written out."""

    value: Any


class Column(Node, frozen=True):
    """A column of the row asked about (`of` empty), of its claim (`claim`), or of what `Each` goes over."""

    of: str
    name: str


class Arithmetic(Node, frozen=True):
    """`+ - *` of two numbers."""

    op: Literal["+", "-", "*"]
    left: Node
    right: Node


class Compare(Node, frozen=True):
    """A comparison of two values; null when one is null."""

    op: Literal["==", "!=", "<", "<=", ">", ">="]
    left: Node
    right: Node


class Logic(Node, frozen=True):
    """`and`, `or` over parts, with null as in SQL."""

    op: Literal["and", "or"]
    parts: tuple[Node, ...]


class Not(Node, frozen=True):
    """`not`; null stays null."""

    of: Node


class Missing(Node, frozen=True):
    """`missing(x)`: whether a value is null or an empty text; never null itself."""

    of: Node


class Among(Node, frozen=True):
    """`x in (…)` with values written out."""

    of: Node
    values: tuple[Any, ...]


class Holds(Node, frozen=True):
    """`x in list`: whether a list column holds a value."""

    item: Node
    list: Node


class Meets(Node, frozen=True):
    """`meets(list, (…))`: whether a list column holds one of the values; `within`: whether it holds no other."""

    list: Node
    values: tuple[str, ...]
    every: bool


class Call(Node, frozen=True):
    """A function of `functions.py`."""

    name: str
    arguments: tuple[Node, ...]


class Lookup(Node, frozen=True):
    """`table(key, …).value`: what a loaded table says on the day; null without a row, for which `exists` asks.

    `exists` is null where a key or the day is.
    """

    table: str
    keys: tuple[Node, ...]
    day: Node
    value: str


class Each(Node, frozen=True):
    """`any(… for x in lines if …)`, `all`, `count`, `total`, `most`, `least` over what the claim has many of."""

    kind: Literal["any", "all", "count", "total", "most", "least"]
    collection: str
    value: Node
    where: Node | None


def walk(node: Any) -> Any:
    """A node and everything in it."""
    if isinstance(node, Node):
        yield node
        for name in node.__struct_fields__:
            yield from walk(getattr(node, name))
    elif isinstance(node, tuple):
        for one in node:
            yield from walk(one)
