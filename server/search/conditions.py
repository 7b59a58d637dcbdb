"""From one condition to the index rows that satisfy it (https://hl7.org/fhir/R4/search.html#modifiers).

A condition becomes `Rows`: a table and what its rows `t` must fulfil. From that `tree` makes both the rows that drive a
search and the EXISTS with which the other conditions are checked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.extract import normalise
from fhir_profiles.extract.plan import leaves
from server.store.keys import indexed, param_key, system_key

from .query import Condition, invalid, unescape
from .sql import Sql, any_of, join
from .values import Span, read_date, read_number, read_quantity, read_token

LAST = "\U0010ffff"

TABLES = {
    "token": "idx_token",
    "string": "idx_string",
    "date": "idx_date",
    "reference": "idx_reference",
    "quantity": "idx_quantity",
    "number": "idx_quantity",
    "uri": "idx_uri",
}


class Rows(msgspec.Struct, frozen=True):
    """Rows `t` of a table; `single` when one index key holds them all, so that they come in order of date.

    `ends_after` is a time after which every interval of these date rows ends.
    """

    table: str
    where: Sql
    rank: int
    single: bool = False
    negated: bool = False
    ends_after: int | None = None


def rows_of(dialect: str, condition: Condition, base_url: str = "") -> Rows:
    """The rows that satisfy a condition."""
    param, code = condition.param, condition.param.code
    if code == "_id":
        ids = any_of(dialect, "t.id", [unescape(value) for value in condition.values])
        return Rows("resource", Sql(f"t.type = ? AND {ids.text}", (condition.type, *ids.params)), 0)
    if code == "_lastUpdated":
        spans = join("OR", [_updated(read_date(value)) for value in condition.values])
        return Rows("resource", Sql(f"t.type = ? AND {spans.text}", (condition.type, *spans.params)), 9)
    key = param_key(condition.type, code)
    table = TABLES[param.type]
    if condition.modifier == "missing":
        if condition.values not in (("true",), ("false",)):
            raise invalid("The value of :missing must be true or false.")
        return Rows(table, Sql("t.param = ?", (key,)), 10, negated=condition.values == ("true",))
    if condition.modifier == "identifier":
        key = param_key(condition.type, f"{code}:identifier")
        values = _token(dialect, condition, base_url)
        return Rows("idx_token", Sql(f"t.param = ? AND {values.text}", (key, *values.params)), 2)
    values = _MAKERS[param.type](dialect, condition, base_url)
    where = Sql(f"t.param = ? AND {values.text}", (key, *values.params))
    single = param.type in ("token", "reference") and values.text in _SINGLE
    ends_after = _ends_after(condition) if param.type == "date" else None
    return Rows(table, where, _rank(condition, single=single), single, condition.modifier == "not", ends_after)


_SINGLE = frozenset({"t.code = ?", "(t.code = ? AND t.system = ?)", "t.target = ?"})


def _rank(condition: Condition, *, single: bool) -> int:
    """How few rows such a condition usually leaves; the lowest drives the search."""
    if condition.param.type == "token":
        return 2 if condition.param.code == "identifier" else 6 if single else 7
    return {"uri": 2, "reference": 3, "string": 5}.get(condition.param.type, 8)


def _token(dialect: str, condition: Condition, _base_url: str) -> Sql:
    by_system: dict[str | None, list[str | None]] = {}
    for value in condition.values:
        system, code = read_token(value)
        by_system.setdefault(system, []).append(code)
    parts = []
    for system, codes in by_system.items():
        if system is not None and None in codes:
            parts.append(Sql("t.system = ?", (system_key(system),)))
            continue
        found = any_of(dialect, "t.code", [indexed(code or "") for code in codes])
        if system is None:
            parts.append(found)
        else:
            parts.append(Sql(f"({found.text} AND t.system = ?)", (*found.params, system_key(system))))
    return join("OR", parts)


def _string(_dialect: str, condition: Condition, _base_url: str) -> Sql:
    parts = []
    for value in condition.values:
        written = unescape(value)
        plain = normalise(written)
        if condition.modifier == "exact":
            exact = written
            start = normalise(exact)
            parts.append(Sql("(t.value >= ? AND t.value < ? AND t.exact = ?)", (start, start + LAST, exact)))
        elif condition.modifier == "contains":
            escaped = plain.replace("!", "!!").replace("%", "!%").replace("_", "!_")
            parts.append(Sql("t.value LIKE ? ESCAPE '!'", (f"%{escaped}%",)))
        else:
            parts.append(Sql("(t.value >= ? AND t.value < ?)", (plain, plain + LAST)))
    return join("OR", parts)


def _date(_dialect: str, condition: Condition, _base_url: str) -> Sql:
    return join("OR", [_span(read_date(value)) for value in condition.values])


def _ends_after(condition: Condition) -> int | None:
    """What `ge` and `gt` say about the end of every interval that they accept."""
    if len(condition.values) != 1:
        return None
    span = read_date(condition.values[0])
    return (
        int({"ge": span.low, "gt": span.high, "ap": span.low}[span.prefix])
        if span.prefix in ("ge", "gt", "ap")
        else None
    )


def _span(span: Span) -> Sql:
    low, high = span.low, span.high
    match span.prefix:
        case "eq":
            return Sql("(t.lo >= ? AND t.lo < ? AND t.hi <= ?)", (low, high, high))
        case "ne":
            return Sql("(t.lo < ? OR t.hi > ?)", (low, high))
        case "gt":
            return Sql("t.hi > ?", (high,))
        case "lt":
            return Sql("t.lo < ?", (low,))
        case "ge":
            return Sql("(t.hi > ? AND (t.lo >= ? OR t.hi > ?))", (low, low, high))
        case "le":
            return Sql("(t.lo < ? AND (t.lo < ? OR t.hi <= ?))", (high, low, high))
        case "sa":
            return Sql("t.lo >= ?", (high,))
        case "eb":
            return Sql("t.hi <= ?", (low,))
    return Sql("(t.lo < ? AND t.hi > ?)", (high, low))


def _updated(span: Span) -> Sql:
    low, high = span.low, span.high
    match span.prefix:
        case "ne":
            return Sql("(t.updated < ? OR t.updated >= ?)", (low, high))
        case "gt" | "sa":
            return Sql("t.updated >= ?", (high,))
        case "lt" | "eb":
            return Sql("t.updated < ?", (low,))
        case "ge":
            return Sql("t.updated >= ?", (low,))
        case "le":
            return Sql("t.updated < ?", (high,))
    return Sql("(t.updated >= ? AND t.updated < ?)", (low, high))


def _number(_dialect: str, condition: Condition, _base_url: str) -> Sql:
    return join("OR", [_measure(read_number(value)) for value in condition.values])


def _measure(span: Span) -> Sql:
    low, high, exact = span.low, span.high, span.exact
    match span.prefix:
        case "eq":
            return Sql("(t.lo >= ? AND t.lo < ? AND t.hi < ?)", (low, high, high))
        case "ne":
            return Sql("(t.lo < ? OR t.hi >= ?)", (low, high))
        case "gt":
            return Sql("t.hi > ?", (exact,))
        case "lt":
            return Sql("t.lo < ?", (exact,))
        case "ge":
            return Sql("t.hi >= ?", (exact,))
        case "le":
            return Sql("t.lo <= ?", (exact,))
        case "sa":
            return Sql("t.lo > ?", (exact,))
        case "eb":
            return Sql("t.hi < ?", (exact,))
    return Sql("(t.lo <= ? AND t.hi >= ?)", (high, low))


def _quantity(_dialect: str, condition: Condition, _base_url: str) -> Sql:
    parts = []
    for value in condition.values:
        span, system, code = read_quantity(value)
        wanted = [_measure(span)]
        if code is not None:
            wanted.append(Sql("t.code = ?", (indexed(code),)))
        if system is not None:
            wanted.append(Sql("t.system = ?", (system_key(system),)))
        parts.append(join("AND", wanted))
    return join("OR", parts)


def _uri(dialect: str, condition: Condition, _base_url: str) -> Sql:
    values = [unescape(value) for value in condition.values]
    if condition.modifier != "below":
        return any_of(dialect, "t.value", [indexed(value) for value in values])
    below = [value.rstrip("/") + "/" for value in values]
    return join(
        "OR",
        [
            Sql("(t.value = ? OR (t.value >= ? AND t.value < ?))", (indexed(value), prefix, prefix + LAST))
            for value, prefix in zip(values, below, strict=True)
        ],
    )


def _reference(dialect: str, condition: Condition, base_url: str) -> Sql:
    targets = [target for value in condition.values for target in targets_of(condition, unescape(value), base_url)]
    if not targets:
        return Sql("1 = 0")
    return any_of(dialect, "t.target", [indexed(target) for target in targets])


def targets_of(condition: Condition, value: str, base_url: str) -> list[str]:
    """The targets that a reference value can mean: `Type/id` here or a URL elsewhere; a bare id means any type."""
    only = condition.modifier
    value = value.partition("|")[0]
    if base_url and value.startswith(f"{base_url}/"):
        value = value[len(base_url) + 1 :]
    head, slash, rest = value.partition("/")
    if slash and ":" not in head and head in load().types:
        target = f"{head}/{rest.partition('/')[0]}"
        return [target] if only in (None, head) else []
    if slash or ":" in value:
        return [value]
    if only:
        return [f"{only}/{value}"]
    return [f"{kind}/{value}" for kind in pointed_types(condition.type, condition.param.code)]


@cache
def pointed_types(resource_type: str, code: str) -> tuple[str, ...]:
    """The types that a bare id can mean: what the parameter is limited to, else what its element may point to."""
    definitions = load()
    param = definitions.search_params(resource_type)[code]
    found: set[str] = set()
    for leaf in leaves(definitions, resource_type, param):
        element = definitions.types[resource_type].by_key[leaf.hops[0].name][0]
        declared = element.targets if len(leaf.hops) == 1 else param.targets
        found.update((leaf.target,) if leaf.target else declared)
    known = found & set(param.targets or definitions.resource_types)
    return tuple(sorted(known)) or param.targets or definitions.resource_types


_MAKERS: dict[str, Callable[[str, Condition, str], Sql]] = {
    "token": _token,
    "string": _string,
    "date": _date,
    "reference": _reference,
    "quantity": _quantity,
    "number": _number,
    "uri": _uri,
}


@cache
def is_single_valued(resource_type: str, code: str) -> bool:
    """Whether no resource of the type can have two values for the parameter: one element, never an array."""
    definitions = load()
    found = list(leaves(definitions, resource_type, definitions.search_params(resource_type)[code]))
    if not found or any(hop.many for leaf in found for hop in leaf.hops):
        return False
    by_key = definitions.types[resource_type].by_key
    elements = {by_key[leaf.hops[0].name][0].name for leaf in found}
    return len(elements) == 1 and (len(found) == 1 or all(len(leaf.hops) == 1 for leaf in found))


@cache
def element_of(resource_type: str, code: str) -> str | None:
    """The one top-level element that a single-valued parameter reads."""
    if not is_single_valued(resource_type, code):
        return None
    definitions = load()
    leaf = next(leaves(definitions, resource_type, definitions.search_params(resource_type)[code]))
    return definitions.types[resource_type].by_key[leaf.hops[0].name][0].name
