"""When a condition holds because what it speaks of is not there (http://hl7.org/fhirpath/N1/#boolean-logic).

`a.empty() or …` and `a.exists() implies …` cannot be broken without `a`, and most objects are without it.
"""

from __future__ import annotations

from fhir_profiles.fhirpath.syntax import Binary, Call, Literal, Member, Tree, parse
from fhir_profiles.fhirpath.types import fields, primitives


def triggers(expression: str, type_name: str) -> frozenset[str] | None:
    """JSON properties without which the expression is true on any object of the type; None when that is not known."""
    if type_name in primitives():
        return None
    names = _without(parse(expression), holds=True)
    known = fields(type_name)
    if names is None or not names <= known.keys():
        return None
    keys = {key for name in names for key in known[name].keys}
    return frozenset(keys | {f"_{key}" for key in keys})


def _without(tree: Tree, *, holds: bool) -> frozenset[str] | None:
    """Elements in whose absence the tree is surely true, or surely false."""
    match tree:
        case Binary("or", left, right):
            return _either(left, right) if holds else _both(_without(left, holds=False), _without(right, holds=False))
        case Binary("and", left, right):
            sides = _without(left, holds=holds), _without(right, holds=holds)
            return _both(*sides) if holds else next((side for side in sides if side is not None), None)
        case Binary("implies", left, right) if holds:
            false = _without(left, holds=False)
            return _without(right, holds=True) if false is None else false
        case Call(Member(None, name), "empty", ()):
            return frozenset({name}) if holds else None
        case Call(Member(None, name), "exists", ()):
            return None if holds else frozenset({name})
        case Call(Binary() | Call() as of, "not", ()):
            return _without(of, holds=not holds)
        case Binary("<=", Call(Member(None, name), "count", ()), Literal(int())):
            return frozenset({name}) if holds else None
        case Binary(">", Call(Member(None, name), "count", ()), Literal(int())):
            return None if holds else frozenset({name})
        case Call(Call(Member(None, name), "select", (Member(None, _),)), "isDistinct", ()):
            return frozenset({name}) if holds else None
    return None


def _either(left: Tree, right: Tree) -> frozenset[str] | None:
    one = _without(left, holds=True)
    return _without(right, holds=True) if one is None else one


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other
