"""What an expression constraint says, as a tree that is never deeper than `grammar.MAX_DEPTH`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MANY = None
"""The upper bound of a cardinality without one."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept by its identifier."""

    code: str


@dataclass(frozen=True, slots=True)
class Anything:
    """`*`: every concept."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A step through the hierarchy: `operator` is one of `< << <! <<! > >> >! >>! !!> !!<`."""

    operator: str
    of: Node


@dataclass(frozen=True, slots=True)
class MemberOf:
    """`^`: the members of the reference sets that are in `of`."""

    of: Node


@dataclass(frozen=True, slots=True)
class Compound:
    """`AND`, `OR` of two or more; `MINUS` of two."""

    operator: str
    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Refined:
    """`of : by`: those of `of` whose definition meets a refinement."""

    of: Node
    by: Clause


@dataclass(frozen=True, slots=True)
class Dotted:
    """`of . attribute . attribute`: the values of attributes."""

    of: Node
    attributes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Filtered:
    """`of {{ … }}`: those of `of` of which every test holds."""

    of: Node
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class History:
    """`of {{ + HISTORY }}`: with the inactive concepts that the reference sets of associations lead to `of`.

    `profile` is MIN, MOD or MAX; else `by` gives the reference sets.
    """

    of: Node
    profile: str
    by: Node | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a filter: `kind` C (of the concept) or D (of one of its names), `field operator values`."""

    kind: str
    field: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """A cardinality: at least, at most (`MANY`: no bound)."""

    least: int
    most: int | None


ONCE_OR_MORE = Times(1, MANY)


@dataclass(frozen=True, slots=True)
class Attribute:
    """`[n..m] R name operator value`; `value` is a constraint or a concrete value."""

    name: Node
    operator: str
    value: Node | Value
    reverse: bool = False
    times: Times = ONCE_OR_MORE


@dataclass(frozen=True, slots=True)
class Group:
    """`[n..m] { of }`: groups of relationships in which a clause holds."""

    of: Clause
    times: Times = ONCE_OR_MORE


@dataclass(frozen=True, slots=True)
class Junction:
    """`AND` or `OR` of clauses of a refinement."""

    operator: str
    of: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text to look for: `wild` with `*` for any letters, else words that begin words."""

    text: str
    wild: bool = False


Node = Concept | Anything | Walk | MemberOf | Compound | Refined | Dotted | Filtered | History
Clause = Attribute | Group | Junction
Value = Decimal | Text | bool | Concept
