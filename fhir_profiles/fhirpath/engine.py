"""Expressions compiled to closures (http://hl7.org/fhirpath/N1/#expressions)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fhir_profiles.definitions import load
from fhir_profiles.fhirpath import functions, operators
from fhir_profiles.fhirpath.context import Context, Items, Step, single
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
    Variable,
    parse,
    type_name,
)
from fhir_profiles.fhirpath.types import children, fields, has_child, is_subtype, named
from fhir_profiles.fhirpath.values import Node
from fhir_profiles.systems import LOINC, SNOMED, STRUCTURE_DEFINITION, UCUM, VALUE_SET

_CONSTANTS = {"ucum": UCUM, "sct": SNOMED, "loinc": LOINC}
_PREFIXES = {"vs-": VALUE_SET, "ext-": STRUCTURE_DEFINITION}

TEXT_TYPES = frozenset({"string", "code", "uri", "url", "canonical", "id", "oid", "uuid", "markdown"})


@lru_cache(maxsize=8_192)
def compiled(expression: str) -> Step:
    """The expression as a function of context and focus; PathError when it cannot be read."""
    return step(parse(expression))


def step(tree: Tree) -> Step:
    """The function of a tree."""
    match tree:
        case Literal(value):
            return _literal(value)
        case Member(None, name) if name in load().types and name[0].isupper():
            return _typed_start(name)
        case Member(of, name):
            return _then(of, _member(name))
        case Call(Member(None, name), "exists" | "empty" as asked, ()) if not name[0].isupper():
            return _present(name, asked == "exists")
        case Call(of, name, arguments):
            return _then(of, _call(name, arguments))
        case Index(of, index):
            return _index(step(of), step(index))
        case Sign(sign, of):
            return operators.sign(sign, step(of))
        case TypeTest(operator, of, type_):
            return _then(of, _call(operator, (_type_tree(type_),)))
        case Binary("and" | "or" | "xor" | "implies" as operator, left, right):
            return operators.logic(operator, step(left), step(right))
        case Binary("=" | "!=" as operator, Member(None, name), Literal(str() as text)):
            slow = operators.binary(operator, _member(name), _literal(text))
            return _is_text(name, frozenset({text}), operator == "=", slow)
        case Binary("in", Member(None, name), right) if found := texts(right):
            return _is_text(name, found, True, operators.binary("in", _member(name), step(right)))
        case Binary(operator, left, right):
            return operators.binary(operator, step(left), step(right))
        case Variable(name):
            return _variable(name)
        case This(name):
            return _this(name)


def _then(of: Tree | None, then: Step) -> Step:
    if of is None:
        return then
    first = step(of)
    return lambda context, focus: then(context, first(context, focus))


def _literal(value: Any) -> Step:
    if value is None:
        return lambda _context, _focus: []
    return lambda _context, _focus: [value]


def _member(name: str) -> Step:
    def member(context: Context, focus: Items) -> Items:
        if len(focus) == 1:
            only = focus[0]
            found = children(only, name) if isinstance(only, Node) else []
        else:
            found = []
            for item in focus:
                if isinstance(item, Node):
                    found += children(item, name)
        context.left -= len(found) + 1
        if context.left < 0:
            context.spend(0)
        return found

    return member


def _present(name: str, wanted: bool) -> Step:
    """`name.exists()` or `name.empty()` on the focus, without making Nodes of what is there."""

    def present(_context: Context, focus: Items) -> Items:
        for item in focus:
            if isinstance(item, Node) and has_child(item, name):
                return [wanted]
        return [not wanted]

    return present


def texts(tree: Tree) -> frozenset[str] | None:
    """The texts of `'a' | 'b' | 'c'`; None for any other tree."""
    match tree:
        case Literal(str() as text):
            return frozenset({text})
        case Binary("|", left, Literal(str() as text)):
            found = texts(left)
            return None if found is None else found | {text}
    return None


def _is_text(name: str, texts: frozenset[str], wanted: bool, slow: Step) -> Step:
    """`name = 'a'`, `name != 'a'` and `name in ('a' | 'b')` where the focus is one object with such a text."""

    def test(context: Context, focus: Items) -> Items:
        if len(focus) == 1 and isinstance(only := focus[0], Node) and type(only.value) is dict:
            field = fields(only.type).get(name)
            if field is not None and field.only is not None and field.only[1] in TEXT_TYPES:
                value = only.value.get(field.only[0])
                if type(value) is str:
                    return [(value in texts) is wanted]
        return slow(context, focus)

    return test


def _typed_start(name: str) -> Step:
    """A type's name at the start of a path keeps what is of that type."""

    def start(_context: Context, focus: Items) -> Items:
        return [item for item in focus if isinstance(item, Node) and is_subtype(item.type, name)]

    return start


def _index(of: Step, index: Step) -> Step:
    def at(context: Context, focus: Items) -> Items:
        items = of(context, focus)
        place = operators.integer(single(index(context, context.this)))
        return [items[place]] if place is not None and 0 <= place < len(items) else []

    return at


def _this(name: str) -> Step:
    if name == "this":
        return lambda context, _focus: context.this
    if name == "index":
        return lambda context, _focus: [context.index]
    return lambda context, _focus: context.total


def _variable(name: str) -> Step:
    if name == "resource":
        return lambda context, _focus: [context.resource]
    if name == "rootResource":
        return lambda context, _focus: [context.root]
    if name == "context":
        return lambda context, _focus: context.context
    if name in _CONSTANTS:
        return _literal(_CONSTANTS[name])
    for prefix, base in _PREFIXES.items():
        if name.startswith(prefix):
            return _literal(base + name.removeprefix(prefix))

    def given(context: Context, _focus: Items) -> Items:
        if context.env is None or name not in context.env:
            raise PathError("a variable is named that is not defined.", "not-found")
        value = context.env[name]
        return list(value) if isinstance(value, list) else [value]

    return given


def _type_tree(type_: str) -> Tree:
    namespace, _, name = type_.rpartition(".")
    return Member(Member(None, namespace) if namespace else None, name)


def _call(name: str, arguments: tuple[Tree, ...]) -> Step:
    """The function of that name with its arguments bound."""
    if name in ("is", "as", "ofType") and len(arguments) == 1:
        return functions.TYPED[name](named(type_name(arguments[0])))
    if name == "sort":
        return functions.sort([_sort_key(a) for a in arguments])
    found = functions.FUNCTIONS.get(name)
    if found is None:
        raise PathError("a function is called that is not known.", "not-supported")
    if not found.least <= len(arguments) <= found.most:
        raise PathError(f"{name}() takes {found.least} to {found.most} arguments.")
    steps = [step(a) for a in arguments]
    call = found.call
    if not steps:
        return call
    if len(steps) == 1:
        one = steps[0]
        return lambda context, focus: call(context, focus, one)
    return lambda context, focus: call(context, focus, *steps)


def _sort_key(tree: Tree) -> tuple[Step, bool]:
    """What to sort by, and whether downwards: a `-` before the argument."""
    if isinstance(tree, Sign) and tree.sign == "-":
        return step(tree.of), True
    return step(tree), False
