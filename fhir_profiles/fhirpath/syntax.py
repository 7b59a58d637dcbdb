"""The syntax tree of an expression and its parser (http://hl7.org/fhirpath/N1/#grammar)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhir_profiles.fhirpath.errors import PathError, TooCostly
from fhir_profiles.fhirpath.lexer import Token, tokens
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import CALENDAR, Quantity

MAX_LENGTH = 20_000
MAX_DEPTH = 120


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the expression; None is the empty collection `{}`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Variable:
    """`%name`."""

    name: str


@dataclass(frozen=True, slots=True)
class This:
    """`$this`, `$index` or `$total`."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """Children by name; `of` None means those of the focus."""

    of: Tree | None
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function on a collection; `of` None means the focus."""

    of: Tree | None
    name: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """The item at a place."""

    of: Tree
    index: Tree


@dataclass(frozen=True, slots=True)
class Sign:
    """`+` or `-` before a term."""

    sign: str
    of: Tree


@dataclass(frozen=True, slots=True)
class Binary:
    """Two expressions with an operator between them."""

    operator: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`is` and `as` as operators."""

    operator: str
    of: Tree
    type: str


Tree = Literal | Variable | This | Member | Call | Index | Sign | Binary | TypeTest

_BINDING = {
    **dict.fromkeys(("*", "/", "div", "mod"), 10),
    **dict.fromkeys(("+", "-", "&"), 9),
    **dict.fromkeys(("is", "as"), 8),
    "|": 7,
    **dict.fromkeys(("<=", "<", ">", ">="), 6),
    **dict.fromkeys(("=", "~", "!=", "!~"), 5),
    **dict.fromkeys(("in", "contains"), 4),
    "and": 3,
    **dict.fromkeys(("or", "xor"), 2),
    "implies": 1,
}
_SIGN = 11


def parse(expression: str) -> Tree:
    """The tree of an expression; PathError says where it cannot be read."""
    if len(expression) > MAX_LENGTH:
        raise TooCostly(f"the expression is longer than {MAX_LENGTH} characters.")
    reader = _Reader(list(tokens(expression)))
    tree = reader.expression(0)
    reader.expect("")
    _limit_depth(tree)
    return tree


class _Reader:
    """A Pratt parser: each operator binds as strongly as the table above says."""

    def __init__(self, read: list[Token]) -> None:
        self._tokens = read
        self._at = 0
        self._depth = 0

    def expect(self, text: str) -> None:
        """Step over an operator, or the end for the empty text."""
        token = self._next()
        if token.text != text or token.kind not in ("operator", "end"):
            raise PathError(f"expected {text or 'the end'} at position {token.at}.")

    def expression(self, binding: int) -> Tree:
        """An expression of operators that bind more strongly than `binding`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooCostly(f"the expression nests more than {MAX_DEPTH} levels deep.")
        left = self._signed()
        while True:
            token = self._tokens[self._at]
            own = _BINDING.get(token.text, 0) if token.kind in ("operator", "name") else 0
            if own <= binding:
                self._depth -= 1
                return left
            self._at += 1
            if own == 8:
                left = TypeTest(token.text, left, self._type())
            else:
                left = Binary(token.text, left, self.expression(own))

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _skip(self, text: str) -> bool:
        token = self._tokens[self._at]
        found = token.kind == "operator" and token.text == text
        self._at += found
        return found

    def _signed(self) -> Tree:
        token = self._tokens[self._at]
        if token.kind == "operator" and token.text in ("+", "-"):
            self._at += 1
            return Sign(token.text, self.expression(_SIGN))
        return self._steps(self._term())

    def _steps(self, tree: Tree) -> Tree:
        """What follows a term: `.name`, `.function(…)` and `[…]`."""
        while True:
            if self._skip("."):
                tree = self._named(tree)
            elif self._skip("["):
                tree = Index(tree, self.expression(0))
                self.expect("]")
            else:
                return tree

    def _named(self, of: Tree | None) -> Tree:
        token = self._next()
        if token.kind == "this" and of is not None:
            raise PathError(f"expected a name at position {token.at}.")
        if token.kind not in ("name", "quoted"):
            raise PathError(f"expected a name at position {token.at}.")
        if token.kind == "name" and self._skip("("):
            return Call(of, token.text, self._arguments())
        return Member(of, token.text)

    def _arguments(self) -> tuple[Tree, ...]:
        if self._skip(")"):
            return ()
        found = [self.expression(0)]
        while self._skip(","):
            found.append(self.expression(0))
        self.expect(")")
        return tuple(found)

    def _term(self) -> Tree:
        token = self._tokens[self._at]
        if token.kind in ("name", "quoted"):
            if token.kind == "name" and token.text in ("true", "false"):
                self._at += 1
                return Literal(token.text == "true")
            return self._named(None)
        self._at += 1
        if token.kind == "number":
            return Literal(self._number(token.text))
        if token.kind == "text":
            return Literal(token.text)
        if token.kind in ("date", "time"):
            return Literal(_temporal(token))
        if token.kind == "variable":
            return Variable(token.text)
        if token.kind == "this":
            return This(token.text[1:])
        if token.kind == "operator" and token.text == "(":
            inner = self.expression(0)
            self.expect(")")
            return inner
        if token.kind == "operator" and token.text == "{":
            self.expect("}")
            return Literal(None)
        raise PathError(f"a term is missing at position {token.at}.")

    def _number(self, text: str) -> Any:
        """A number, or a quantity when a unit follows."""
        value = Decimal(text) if "." in text else int(text)
        follower = self._tokens[self._at]
        if follower.kind == "text":
            self._at += 1
            return Quantity(Decimal(value), follower.text)
        if follower.kind == "name" and follower.text in CALENDAR:
            self._at += 1
            return Quantity(Decimal(value), CALENDAR[follower.text], calendar=True)
        return value

    def _type(self) -> str:
        """`Type` or `Namespace.Type`."""
        names = [self._type_name()]
        if self._skip("."):
            names.append(self._type_name())
        return ".".join(names)

    def _type_name(self) -> str:
        token = self._next()
        if token.kind not in ("name", "quoted"):
            raise PathError(f"expected a type at position {token.at}.")
        return token.text


def type_name(tree: Tree) -> str:
    """The type that the argument of `is(…)`, `as(…)` or `ofType(…)` names."""
    if isinstance(tree, Member):
        if tree.of is None:
            return tree.name
        if isinstance(tree.of, Member) and tree.of.of is None:
            return f"{tree.of.name}.{tree.name}"
    raise PathError("the argument must be the name of a type.")


def parts(tree: Tree) -> tuple[Tree, ...]:
    """The trees directly below."""
    match tree:
        case Member(of, _):
            return () if of is None else (of,)
        case Call(of, _, arguments):
            return arguments if of is None else (of, *arguments)
        case Index(of, index):
            return (of, index)
        case Sign(_, of) | TypeTest(_, of, _):
            return (of,)
        case Binary(_, left, right):
            return (left, right)
    return ()


def _limit_depth(tree: Tree) -> None:
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [part for at in level for part in parts(at)]
        if not level:
            return
    raise TooCostly(f"the expression nests more than {MAX_DEPTH} levels deep.")


def _temporal(token: Token) -> Temporal:
    found = Temporal.read(token.text[1:])
    if found is None:
        raise PathError(f"no such date or time exists (position {token.at}).")
    return found
