"""Read an expression constraint, ECL 2.2 brief syntax and the long names of operators.

https://docs.snomed.org/snomed-ct-specifications/snomed-ct-expression-constraint-language
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from terminology.ecl import filters
from terminology.ecl.scan import refuse
from terminology.ecl.tokens import Tokens
from terminology.ecl.tree import (
    MANY,
    ONCE_OR_MORE,
    Anything,
    Attribute,
    Clause,
    Compound,
    Concept,
    Dotted,
    Filtered,
    Group,
    History,
    Junction,
    MemberOf,
    Node,
    Refined,
    Text,
    Times,
    Value,
    Walk,
)

WALKS = frozenset(("<", "<<", "<!", "<<!", ">", ">>", ">!", ">>!", "!!>", "!!<"))
COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">="))
MAX_FILTERS = 20
"""Filters of one part of an expression."""

_MIXED = "AND, OR and MINUS are not mixed without parentheses"


@lru_cache(maxsize=512)
def read(expression: str) -> Node:
    """The tree of an expression; FhirError of INCORRECT with the place of the first mistake."""
    tokens = Tokens(expression)
    found = _constraint(tokens)
    if tokens.now.kind != "end":
        refuse(tokens.now.at, _after(tokens))
    return found


def _after(tokens: Tokens) -> str:
    if tokens.now.kind == "word" and tokens.now.text.upper() in ("AND", "OR", "MINUS"):
        return _MIXED
    if tokens.now.text in (":", "."):
        return "what is refined or dotted stands in parentheses when it is made of several parts"
    return "the end, AND, OR, MINUS, a refinement or a dot is expected"


def _constraint(tokens: Tokens) -> Node:
    first = _operand(tokens)
    if tokens.took(":"):
        return Refined(first, _refinement(tokens))
    if tokens.sees("."):
        names: list[Node] = []
        while tokens.took("."):
            names.append(_operand(tokens))
        return Dotted(first, tuple(names))
    operator = tokens.junction()
    if operator is None:
        return first
    parts = [first, _operand(tokens)]
    while (more := tokens.junction()) is not None:
        if more != operator or operator == "MINUS":
            refuse(tokens.before.at, _MIXED)
        parts.append(_operand(tokens))
    return Compound(operator, tuple(parts))


def _operand(tokens: Tokens) -> Node:
    """One part: an operator, a reference set, a concept or a constraint in parentheses, and its filters."""
    walk = tokens.take().text if tokens.now.text in WALKS and tokens.now.kind == "sign" else None
    member = tokens.took("^")
    if member and tokens.sees("["):
        _field(tokens)
    found = _focus(tokens)
    if member:
        found = MemberOf(found)
    if walk is not None:
        found = Walk(walk, found)
    filtered = 0
    while tokens.took("{{"):
        filtered += 1
        if filtered > MAX_FILTERS:
            refuse(tokens.before.at, f"more than {MAX_FILTERS} filters follow each other")
        found = _filter(tokens, found)
    return found


def _field(tokens: Tokens) -> None:
    """The fields of a reference set that are to be told: only the one that names its members."""
    tokens.expect("[")
    word = tokens.take()
    if word.text.lower() != "referencedcomponentid":
        refuse(word.at, "of the fields of a reference set only referencedComponentId is supported")
    tokens.expect("]")


def _focus(tokens: Tokens) -> Node:
    if tokens.now.kind == "digits":
        return Concept(tokens.concept())
    if tokens.took("*"):
        return Anything()
    if not tokens.sees("("):
        refuse(tokens.now.at, "the identifier of a concept, * or an opening parenthesis is expected")
    tokens.enter()
    found = _constraint(tokens)
    tokens.leave(_after(tokens) if tokens.now.kind != "end" else None)
    return found


def _filter(tokens: Tokens, of: Node) -> Node:
    """What stands between `{{` and `}}`."""
    if tokens.took("+"):
        word = tokens.take()
        profile = filters.PROFILES.get(word.text.upper())
        if word.kind != "word" or profile is None:
            refuse(word.at, "HISTORY, HISTORY-MIN, HISTORY-MOD or HISTORY-MAX is expected")
        by = None
        if tokens.sees("("):
            tokens.enter()
            by = _constraint(tokens)
            tokens.leave()
        tokens.expect("}}")
        return History(of, profile, by)
    tests = filters.tests(tokens)
    tokens.expect("}}")
    return Filtered(of, tests)


def _refinement(tokens: Tokens) -> Clause:
    """Attributes and groups joined by one kind of junction."""
    return _joined(tokens, grouped=False)


def _joined(tokens: Tokens, *, grouped: bool) -> Clause:
    first = _clause(tokens, grouped=grouped)
    operator = tokens.junction(minus=False)
    if operator is None:
        return first
    parts = [first, _clause(tokens, grouped=grouped)]
    while (more := tokens.junction(minus=False)) is not None:
        if more != operator:
            refuse(tokens.before.at, "AND and OR are not mixed without parentheses")
        parts.append(_clause(tokens, grouped=grouped))
    return Junction(operator, tuple(parts))


def _clause(tokens: Tokens, *, grouped: bool) -> Clause:
    """An attribute, a group, or a refinement in parentheses; `grouped` within a group, which holds no other."""
    if tokens.sees("(") and not tokens.names_an_attribute(COMPARISONS):
        tokens.enter()
        found = _joined(tokens, grouped=grouped)
        tokens.leave()
        return found
    times = _times(tokens) if tokens.sees("[") else ONCE_OR_MORE
    if not tokens.sees("{"):
        return _attribute(tokens, times, grouped=grouped)
    if grouped:
        refuse(tokens.now.at, "a group holds no other group")
    tokens.enter("{")
    found = Group(_joined(tokens, grouped=True), times)
    tokens.leave(closing="}")
    return found


def _times(tokens: Tokens) -> Times:
    tokens.expect("[")
    least = tokens.whole()
    most: int | None = least
    if tokens.took(".."):
        most = MANY if tokens.took("*") else tokens.whole()
    if most is not MANY and most < least:
        refuse(tokens.before.at, "the upper bound of a cardinality is not below the lower")
    tokens.expect("]")
    return Times(least, most)


def _attribute(tokens: Tokens, times: Times, *, grouped: bool) -> Attribute:
    reverse = tokens.now.kind == "word" and tokens.now.text.lower() in ("r", "reverseof")
    if reverse and grouped:
        refuse(tokens.now.at, "an attribute that is reversed stands in no group")
    if reverse:
        tokens.take()
    name = _operand(tokens)
    sign = tokens.take()
    if sign.kind != "sign" or sign.text not in COMPARISONS:
        refuse(sign.at, "a comparison is expected after the name of an attribute: = or !=, for numbers also < <= > >=")
    value = _value(tokens)
    ordered = sign.text not in ("=", "!=")
    if ordered and not isinstance(value, Decimal):
        refuse(sign.at, "only numbers, written as #10, are compared by < <= > >=")
    if reverse and not isinstance(value, Node):
        refuse(sign.at, "a reversed attribute is compared with concepts")
    return Attribute(name, sign.text, value, reverse, times)


def _value(tokens: Tokens) -> Node | Value:
    token = tokens.now
    if token.kind == "number":
        return Decimal(tokens.take().text[1:])
    if token.kind == "text":
        return Text(tokens.text())
    if token.kind == "word" and token.text.lower() in ("true", "false"):
        return tokens.take().text.lower() == "true"
    return _operand(tokens)
