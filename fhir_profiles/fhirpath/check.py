"""Whether an expression can mean anything on a type (http://hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation).

Evaluation is lenient: what does not exist is empty. Whoever stores an expression checks it first, so that a typing
error is an error and no silence.
"""

from __future__ import annotations

from fhir_profiles.definitions import load
from fhir_profiles.fhirpath.errors import PathError
from fhir_profiles.fhirpath.syntax import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Sign,
    This,
    Tree,
    TypeTest,
    parse,
    type_name,
)
from fhir_profiles.fhirpath.types import fields, is_subtype, named, system_type

Types = frozenset[str] | None
"""What the items may be: FHIR types and `System.X`; None when that is not known."""

_BOOLEAN: Types = frozenset({"System.Boolean"})
_SAME = frozenset(
    {
        "where",
        "first",
        "last",
        "tail",
        "skip",
        "take",
        "single",
        "distinct",
        "trace",
        "exclude",
        "intersect",
        "repeat",
        "combine",
        "union",
        "sort",
    }
)
_TRUTHS = frozenset(
    {
        "exists",
        "empty",
        "not",
        "all",
        "allTrue",
        "anyTrue",
        "allFalse",
        "anyFalse",
        "isDistinct",
        "is",
        "hasValue",
        "matches",
    }
)
_EACH = frozenset({"where", "select", "exists", "all", "repeat", "aggregate", "iif", "trace", "sort"})
_ORDERED = frozenset({"first", "last", "tail", "skip", "take"})
_UNORDERED = frozenset({"children", "descendants"})
_OPEN = frozenset({"Resource", "DomainResource", "Element", "BackboneElement"})


def check(expression: str, type_name: str, *, ordered: bool = False) -> Types:
    """The types that the expression gives on a type; PathError when no value of that type could make it true to itself.

    `ordered` refuses too what depends on the order of `children()`.
    """
    return _Checker(ordered).types(parse(expression), frozenset({type_name}))


class _Checker:
    def __init__(self, ordered: bool) -> None:
        self._ordered = ordered

    def types(self, tree: Tree, focus: Types) -> Types:
        """The types of a tree on a focus."""
        match tree:
            case Literal(value):
                return frozenset() if value is None else frozenset({f"System.{system_type(value)}"})
            case This("this"):
                return focus
            case Member(None, name) if name[0].isupper() and name in load().types:
                return _started(name, focus)
            case Member(of, name):
                return _children(focus if of is None else self.types(of, focus), name)
            case TypeTest(operator, of, type_):
                kept = _narrowed(self.types(of, focus), type_)
                return kept if operator == "as" else _BOOLEAN
            case Call():
                return self._call(tree, focus)
            case Index(of, _):
                return self.types(of, focus)
            case Sign(_, of):
                return self.types(of, focus)
            case Binary(operator, left, right):
                return self._binary(operator, self.types(left, focus), self.types(right, focus))
        return None

    def _binary(self, operator: str, left: Types, right: Types) -> Types:
        if operator == "|":
            return None if left is None or right is None else left | right
        return None if operator in ("+", "-", "*", "/", "div", "mod", "&") else _BOOLEAN

    def _call(self, call: Call, focus: Types) -> Types:
        of = focus if call.of is None else self.types(call.of, focus)
        name = call.name
        if self._ordered and name in _ORDERED and isinstance(call.of, Call) and call.of.name in _UNORDERED:
            raise PathError(f"{name}() depends on an order that children have not.", "semantic")
        if name in ("is", "as", "ofType"):
            kept = _narrowed(of, type_name(call.arguments[0]))
            return _BOOLEAN if name == "is" else kept
        arguments = [self.types(a, of if name in _EACH else focus) for a in call.arguments]
        if name == "iif" and arguments and arguments[0] and not arguments[0] & {"System.Boolean", "boolean"}:
            raise PathError("the criterion of iif() is no boolean.", "semantic")
        if name in ("select", "repeat") and arguments:
            return arguments[0]
        if name in _SAME:
            return of if name not in ("union", "combine") or of is None or not arguments[0] else of | arguments[0]
        return _BOOLEAN if name in _TRUTHS else None


def _started(name: str, focus: Types) -> Types:
    if focus is None or any(is_subtype(t, name) or is_subtype(name, t) for t in focus):
        return frozenset({name})
    raise PathError("the path starts with another type than it is used on.", "semantic")


def _children(of: Types, name: str) -> Types:
    if of is None or of & _OPEN or not of:
        return None
    found = [fields(t)[name] for t in of if name in fields(t)]
    if not found:
        raise PathError(f"none of the types here has an element of that name: {name}.", "semantic")
    return frozenset(t for field in found for t in field.keys.values())


def _narrowed(of: Types, type_: str) -> Types:
    wanted = named(type_)
    if wanted.namespace == "System" or of is None:
        return None if wanted.namespace == "System" else frozenset({wanted.name})
    return frozenset({wanted.name})
