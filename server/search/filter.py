"""What a `_filter` means: the tests of its grammar as nodes of the search (https://hl7.org/fhir/R4/search_filter.html)."""

from __future__ import annotations

from fhir_profiles.definitions import SearchParam

from .filter_text import Filter, Logic, Step, Test, parse_filter
from .nodes import Known, chained, condition, read_node
from .query import Condition, Every, Node, Not, Some, invalid, too_costly, unsupported

ORDERED = ("date", "number", "quantity")
TEXTS = ("string", "token", "uri")
_AS_MODIFIER = {"in": "in", "ni": "not-in", "ss": "below", "sb": "above"}


def read_filter(resource_type: str, _name: str, value: str, known: Known) -> Node:
    """The node of a `_filter` on a type."""
    return _node(resource_type, parse_filter(value, known.limits.max_conditions), known, 0)


def _node(resource_type: str, found: Filter, known: Known, depth: int) -> Node:
    if depth > known.limits.max_depth:
        raise too_costly(f"Chains go at most {known.limits.max_depth} references deep.")
    if isinstance(found, Logic):
        parts = tuple(_node(resource_type, part, known, depth) for part in found.parts)
        if found.word == "not":
            return Not(parts[0])
        if len(parts) == 1:
            return parts[0]
        return Every(parts) if found.word == "and" else Some(parts)
    step, rest = found.path[0], found.path[1:]
    if step.name.startswith("_has:"):
        return _has(resource_type, found, known, depth)
    if not rest:
        return _test(resource_type, step, found, known)
    code, _, target = step.name.partition(":")
    param = known.find(resource_type, code)

    def inner(kind: str) -> Node:
        below = _node(kind, Test(rest, found.operator, found.value), known, depth + 1)
        return below if step.inner is None else Every((_node(kind, step.inner, known, depth + 1), below))

    return chained(param, resource_type, target, inner)


def _has(resource_type: str, found: Test, known: Known, depth: int) -> Node:
    """`_has:Observation:subject:code eq x`: the equality of the parameter behind it."""
    if found.operator != "eq" or any(step.inner is not None for step in found.path):
        raise unsupported("_has stands in a _filter with eq only, and without brackets.")
    name = ".".join(step.name for step in found.path)
    return read_node(resource_type, name, _written(found.value), known, depth)


def _test(resource_type: str, step: Step, found: Test, known: Known) -> Node:
    """One parameter of the type itself."""
    if step.inner is not None:
        raise unsupported("Brackets in a _filter stand behind a reference whose path goes on.")
    code, _, modifier = step.name.partition(":")
    param = known.find(resource_type, code)
    if modifier:
        raise unsupported("A _filter says with its operator what a modifier would; leave the modifier out.")
    operator, value = found.operator, _written(found.value)
    if operator == "pr":
        return condition(resource_type, param, "missing", {"true": "false", "false": "true"}.get(value, "?"), known)
    if operator in _AS_MODIFIER:
        return condition(resource_type, param, _AS_MODIFIER[operator], value, known)
    if code in ("_id", "_lastUpdated"):
        return _of_resource(resource_type, param, operator, value, known)
    plain = condition(resource_type, param, None, value, known)
    if not isinstance(plain, Condition) or not value:
        raise invalid("A value in a _filter must not be empty.")
    if operator == "re" and param.type == "reference":
        return plain
    if operator == "eq" and param.type != "string":
        return Condition(resource_type, param, None, (f"eq{value}" if param.type in ORDERED else value,))
    if param.type in ORDERED and operator in ("ne", "gt", "lt", "ge", "le", "ap", "sa", "eb"):
        return Condition(resource_type, param, None, (f"{operator}{value}",))
    wanted = {"string": ("eq", "ne", "co", "sw", "ew"), "date": ("po",), "reference": ("ne",)}
    if operator in wanted.get(param.type, ("ne", "co", "sw", "ew") if param.type in TEXTS else ()):
        return Condition(resource_type, param, f"={operator}", (value,))
    raise unsupported(f"The operator {operator} of _filter does not go with {param.type} parameters.")


def _of_resource(resource_type: str, param: SearchParam, operator: str, value: str, known: Known) -> Node:
    """`_id` and `_lastUpdated`, which every resource has once."""
    if param.code == "_id" and operator in ("eq", "ne"):
        equal = condition(resource_type, param, None, value, known)
        return equal if operator == "eq" else Not(equal)
    if param.code == "_lastUpdated" and operator in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"):
        return Condition(resource_type, param, None, (f"{operator}{value}",))
    raise unsupported(f"The operator {operator} of _filter does not go with {param.code}.")


def _written(value: str) -> str:
    """The value as a parameter would have it: only `|` separates there."""
    for mark in "\\,$":
        value = value.replace(mark, f"\\{mark}")
    return value
