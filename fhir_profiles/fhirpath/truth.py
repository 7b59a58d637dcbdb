"""Conditions on one object of a known type, as functions of its JSON (http://hl7.org/fhirpath/N1/#boolean-logic).

Most of an invariant asks what is there, compares a code and joins such answers. That needs no Nodes and no
collections when the type is known; whatever else it asks, the engine evaluates. A test holds the two together.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from fhir_profiles.fhirpath.context import Context, Step, truth
from fhir_profiles.fhirpath.engine import TEXT_TYPES, step, texts
from fhir_profiles.fhirpath.syntax import Binary, Call, Literal, Member, Tree, parse
from fhir_profiles.fhirpath.types import Field, fields, primitives
from fhir_profiles.fhirpath.values import Node

Json = dict[str, Any]


class Subject:
    """The object in hand; the engine's context for it is made when it is first needed."""

    __slots__ = ("_context", "_focus", "_type", "value")

    def __init__(self, value: Json, type_name: str) -> None:
        self.value = value
        self._type = type_name
        self._context: Context | None = None
        self._focus: list[Any] = []

    def ask(self, expression: Step) -> bool | None:
        """The truth of an expression by the engine."""
        if self._context is None:
            node = Node(self.value, self._type)
            self._context, self._focus = Context(node, node), [node]
        return truth(expression(self._context, self._focus))


Test = Callable[[Subject], "bool | None"]


def condition(expression: str, type_name: str) -> Test:
    """The expression as a test of objects of the type; None is what cannot be decided."""
    return _Compiler(type_name).test(parse(expression))


class _Compiler:
    def __init__(self, type_name: str) -> None:
        self._fields = fields(type_name) if type_name not in primitives() else {}

    def test(self, tree: Tree) -> Test:
        """The test of a tree: directly on the JSON where that is possible, else by the engine."""
        match tree:
            case Binary("or", _, _) if alike := _one_of(tree):
                return self._compared(tree, *alike, True)
            case Binary("and" | "or" | "implies" | "xor" as word, left, right):
                return _LOGIC[word](self.test(left), self.test(right))
            case Call(Binary() | Call() as of, "not", ()):
                return _not(self.test(of))
            case Call(Member(None, name), "exists" | "empty" as asked, ()) if name in self._fields:
                return _present(self._fields[name], asked == "exists")
            case Binary("=" | "!=" as sign, Member(None, name), Literal(str() as text)):
                return self._compared(tree, name, frozenset({text}), sign == "=")
            case Binary("=" | "!=" as sign, Member(None, name), Literal(bool() as wanted)) if self._is_boolean(name):
                answers = (True, False) if wanted is (sign == "=") else (False, True)
                return _boolean(self._fields[name], answers, _asked(step(tree)))
            case Member(None, name) if self._is_boolean(name):
                return _boolean(self._fields[name], (True, False), _asked(step(tree)))
            case Call(Call(Member(None, many), "select", (Member(None, name),)), "isDistinct", ()) if (
                many in self._fields and self._fields[many].only
            ):
                return _distinct(self._fields[many], name, _asked(step(tree)))
            case Binary("in", Member(None, name), right) if found := texts(right):
                return self._compared(tree, name, found, True)
            case Binary(sign, Call(Member(None, name), "count", ()), Literal(int() as number)) if (
                name in self._fields and sign in _ORDERS
            ):
                return _counted(self._fields[name], _ORDERS[sign], number)
        return _asked(step(tree))

    def _is_boolean(self, name: str) -> bool:
        field = self._fields.get(name)
        return field is not None and field.only is not None and field.only[1] == "boolean"

    def _compared(self, tree: Tree, name: str, wanted: frozenset[str], positive: bool) -> Test:
        field = self._fields.get(name)
        slow = step(tree)
        if field is None or field.only is None or field.only[1] not in TEXT_TYPES:
            return _asked(slow)
        key, shadow = field.only[0], field.shadow

        def test(subject: Subject) -> bool | None:
            value = subject.value.get(key)
            if type(value) is str:
                return (value in wanted) is positive
            return None if value is None and shadow not in subject.value else subject.ask(slow)

        return test


def _one_of(tree: Tree) -> tuple[str, frozenset[str]] | None:
    """The name and the texts of `name = 'a' or name = 'b' or …`; None for any other tree."""
    match tree:
        case Binary("or", left, Binary("=", Member(None, name), Literal(str() as text))):
            rest = _one_of(left)
            return (name, rest[1] | {text}) if rest is not None and rest[0] == name else None
        case Binary("=", Member(None, name), Literal(str() as text)):
            return name, frozenset({text})
    return None


def _boolean(field: Field, answers: tuple[bool, bool], slow: Test) -> Test:
    """A boolean element as it is, or turned around."""
    key = next(iter(field.keys))
    when_true, when_false = answers

    def test(subject: Subject) -> bool | None:
        value = subject.value.get(key)
        if value is True:
            return when_true
        return when_false if value is False else None if field.shadow not in subject.value else slow(subject)

    return test


def _distinct(field: Field, name: str, slow: Test) -> Test:
    """Whether the objects of a list differ in one plain text each."""
    key = next(iter(field.keys))

    def test(subject: Subject) -> bool | None:
        items = subject.value.get(key, ())
        if type(items) is list:
            texts = [item.get(name) for item in items if type(item) is dict]
            if len(texts) == len(items) and all(type(text) is str for text in texts):
                return len(set(texts)) == len(texts)
        return slow(subject) if items else True

    return test


def _asked(expression: Step) -> Test:
    return lambda subject: subject.ask(expression)


def _present(field: Field, wanted: bool) -> Test:
    if field.only is not None:
        key, shadow = field.only[0], field.shadow
        return lambda subject: (key in subject.value or shadow in subject.value) is wanted
    keys = frozenset(field.keys) | {f"_{key}" for key in field.keys}
    return lambda subject: keys.isdisjoint(subject.value) is not wanted


def _counted(field: Field, holds: Callable[[int, int], bool], number: int) -> Test:
    """How many values an element has, beside a number."""

    def test(subject: Subject) -> bool | None:
        value = subject.value
        for key in field.keys:
            found, shadow = value.get(key), value.get(f"_{key}")
            if found is not None or shadow is not None:
                sizes = [len(side) if type(side) is list else side is not None for side in (found, shadow)]
                return holds(max(sizes), number)
        return holds(0, number)

    return test


_ORDERS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


def _not(of: Test) -> Test:
    def test(subject: Subject) -> bool | None:
        value = of(subject)
        return None if value is None else not value

    return test


def _and(left: Test, right: Test) -> Test:
    def test(subject: Subject) -> bool | None:
        one = left(subject)
        if one is False:
            return False
        other = right(subject)
        return other if one is True or other is False else None

    return test


def _or(left: Test, right: Test) -> Test:
    def test(subject: Subject) -> bool | None:
        one = left(subject)
        if one is True:
            return True
        other = right(subject)
        return other if one is False or other is True else None

    return test


def _implies(left: Test, right: Test) -> Test:
    return _or(_not(left), right)


def _xor(left: Test, right: Test) -> Test:
    def test(subject: Subject) -> bool | None:
        one, other = left(subject), right(subject)
        return None if one is None or other is None else one is not other

    return test


_LOGIC = {"and": _and, "or": _or, "implies": _implies, "xor": _xor}
