"""From one condition to the index rows that satisfy it (https://hl7.org/fhir/R4/search.html#modifiers).

A condition becomes `Rows`: a table and what its rows `t` must fulfil. From that `tree` makes both the rows that drive a
search and the EXISTS with which the other conditions are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.extract.leaves import leaves, places
from server.store.keys import param_key, system_key

from . import matches
from .codes import Codes, pairs_of
from .matches import any_row, either
from .near import near
from .present import PRESENT, digit_of
from .query import Condition, invalid, unescape, unsupported
from .sql import Sql, any_of
from .targets import reference, targets_of
from .texts import full_text
from .together import together
from .values import read_date, read_number, read_quantity, read_token

__all__ = ["TABLES", "Rows", "element_of", "is_single_valued", "rows_of", "targets_of", "token_rows"]

TABLES = {
    "token": "idx_token",
    "string": "idx_string",
    "date": "idx_date",
    "reference": "idx_reference",
    "quantity": "idx_quantity",
    "number": "idx_quantity",
    "uri": "idx_uri",
    "composite": "idx_composite",
    "special": "idx_composite",
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
    others: Sql | None = None
    """Of a negated condition: row ids among which all are that satisfy it, where an index knows them."""
    ends_after: int | None = None
    hidden: bool = False
    """Whether what is compared are hashes, of which neither order nor nearness says anything."""


def rows_of(dialect: str, condition: Condition, base_url: str = "", codes: Codes | None = None) -> Rows:
    """The rows that satisfy a condition."""
    param, code, modifier = condition.param, condition.param.code, condition.modifier
    if code in _OWN:
        return _OWN[code](dialect, condition)
    if modifier == "missing":
        return _missing(dialect, condition)
    key = param_key(condition.type, code)
    match param.type, modifier:
        case "composite", _:
            return Rows("idx_composite", together(dialect, condition, base_url), 5)
        case "special", _:
            where = near(condition)
            return Rows("idx_composite", Sql(f"t.param = ? AND {where.text}", (key, *where.params)), 5)
        case ("token" | "reference", "text"):
            return _shown(dialect, condition)
        case "token", "in" | "not-in" | "below" | "above":
            pairs: Iterable[tuple[str | None, str | None]] = pairs_of(condition, codes, base_url)
            return token_rows(dialect, condition, key, pairs)
        case "token", "of-type":
            pairs = [matches.typed_identifier(value) for value in condition.values]
            return token_rows(dialect, condition, param_key(condition.type, f"{code}:of-type"), pairs, rank=2)
        case "reference", "identifier":
            pairs = [read_token(value) for value in condition.values]
            return token_rows(dialect, condition, param_key(condition.type, f"{code}:identifier"), pairs, rank=2)
        case "token", _:
            return token_rows(dialect, condition, key, [read_token(value) for value in condition.values])
        case "quantity", _:
            measured = [row for value in condition.values for row in _quantity(condition, value)]
            return Rows("idx_quantity", any_row(dialect, "idx_quantity", measured), 8)
        case "number", _:
            spans = [read_number(value) for value in condition.values]
            measured = [row for span in spans for row in matches.measured(key, span)]
            return Rows("idx_quantity", any_row(dialect, "idx_quantity", measured), 8)
    parts = _MAKERS[param.type](dialect, condition, base_url)
    where = any_row(dialect, TABLES[param.type], [(key, part) for part in parts])
    single = where.text == "t.param = ? AND t.target = ?"
    ends_after = _ends_after(condition) if param.type == "date" else None
    return Rows(TABLES[param.type], where, _RANKS.get(param.type, 8), single, ends_after=ends_after)


_RANKS = {"uri": 2, "reference": 3, "string": 5}
"""How few rows such a condition usually leaves; the lowest leads the search."""

_SINGLE = frozenset({"t.code = ?", "(t.code = ? AND t.system = ?)"})


def token_rows(
    dialect: str,
    condition: Condition,
    key: int,
    pairs: Iterable[tuple[str | None, str | None]],
    rank: int | None = None,
) -> Rows:
    """The rows of a key with one of these pairs of system and code."""
    asked = matches.tokens(dialect, pairs, "t.code", "t.system")
    single = asked.text in _SINGLE
    if rank is None:
        rank = 2 if condition.param.code == "identifier" else 6 if single else 7
    where = Sql(f"t.param = ? AND {asked.text}", (key, *asked.params))
    negated = condition.modifier in ("not", "not-in")
    others = _others(dialect, condition, key, asked) if negated and single else None
    return Rows("idx_token", where, rank, single, negated, others)


def _others(dialect: str, condition: Condition, key: int, asked: Sql) -> Sql | None:
    """Resources with another code than the one asked for, or without any: few where nearly all have that one."""
    present = digit_of(condition.type, condition.param.code)
    if present is None:
        return None
    code, *system = asked.params
    ways = [Sql("t.param = ? AND t.code < ?", (key, code)), Sql("t.param = ? AND t.code > ?", (key, code))]
    if system:
        ways.append(Sql("t.param = ? AND t.code = ? AND t.system <> ?", (key, code, *system)))
    ways.append(_shapes(dialect, condition, present, wanted=False))
    text = " UNION ALL ".join(f"SELECT t.rid FROM idx_token t WHERE {way.text}" for way in ways)
    return Sql(text, tuple(value for way in ways for value in way.params))


def _missing(dialect: str, condition: Condition) -> Rows:
    """Rows of the shapes in which the parameter has a value, or has none: see `present`."""
    if condition.values not in (("true",), ("false",)):
        raise invalid("The value of :missing must be true or false.")
    wanted = condition.values == ("false",)
    digit = digit_of(condition.type, condition.param.code)
    if digit is None:  # a parameter of one's own: its rows tell
        own = Sql("t.param = ?", (param_key(condition.type, condition.param.code),))
        return Rows(TABLES[condition.param.type], own, 10, negated=not wanted)
    return Rows("idx_token", _shapes(dialect, condition, digit, wanted=wanted), 10)


def _shapes(dialect: str, condition: Condition, digit: tuple[int, tuple[str, ...]], *, wanted: bool) -> Sql:
    """Rows of the resources in which the parameter has a value, or has none."""
    place, digits = digit
    listed = ", ".join(f"'{one}'" for one in digits)
    key = param_key(condition.type, PRESENT)
    shapes = (
        "WITH RECURSIVE s(code) AS (SELECT min(a.code) FROM idx_token a WHERE a.param = ? UNION ALL SELECT"
        " (SELECT min(b.code) FROM idx_token b WHERE b.param = ? AND b.code > s.code) FROM s WHERE s.code IS NOT NULL)"
        f" SELECT s.code FROM s WHERE substr(s.code, {place}, 1) {'IN' if wanted else 'NOT IN'} ({listed})"
    )
    # As an array PostgreSQL works them out first and goes to each; else it reads all rows and compares.
    among = f"IN ({shapes})" if dialect == "sqlite" else f"= ANY(ARRAY({shapes}))"
    return Sql(f"t.param = ? AND t.code {among}", (key, key, key))


def _shown(dialect: str, condition: Condition) -> Rows:
    """`:text`: what a person reads of a code or reference starts with the value."""
    keys = [param_key(condition.type, f"{place}:text") for place in places(condition.type, condition.param)]
    if not keys:
        raise unsupported(f"{condition.param.code} has no text that :text could search.")
    texts = [matches.string(dialect, unescape(value), None) for value in condition.values]
    return Rows("idx_string", any_row(dialect, "idx_string", [(key, text) for key in keys for text in texts]), 5)


def _id(dialect: str, condition: Condition) -> Rows:
    if condition.modifier == "missing":
        return Rows(
            "resource", Sql("t.type = ? AND 1 = 0", (condition.type,)), 0, negated=condition.values == ("false",)
        )
    if condition.modifier not in (None, "not"):
        raise unsupported("The modifier of _id is not one that it takes here.")
    ids = any_of(dialect, "t.id", [unescape(value) for value in condition.values])
    where = Sql(f"t.type = ? AND {ids.text}", (condition.type, *ids.params))
    return Rows("resource", where, 0, negated=condition.modifier == "not")


def _updated(_dialect: str, condition: Condition) -> Rows:
    if condition.modifier == "missing":
        return _id(_dialect, condition)
    spans = either([matches.instant(read_date(value)) for value in condition.values])
    return Rows("resource", Sql(f"t.type = ? AND {spans.text}", (condition.type, *spans.params)), 9)


def _words(dialect: str, condition: Condition) -> Rows:
    if condition.modifier is not None:
        raise unsupported(f"{condition.param.code} takes no modifier.")
    found = full_text(dialect, condition)
    of_type = "EXISTS (SELECT 1 FROM resource y WHERE y.rid = t.rid AND y.type = ?)"
    return Rows("idx_text", Sql(f"{found.text} AND {of_type}", (*found.params, condition.type)), 8)


_OWN: dict[str, Callable[[str, Condition], Rows]] = {
    "_id": _id,
    "_lastUpdated": _updated,
    "_text": _words,
    "_content": _words,
}
"""Parameters that have no rows of their own."""


def _string(dialect: str, condition: Condition, _base_url: str) -> list[Sql]:
    return [matches.string(dialect, unescape(value), condition.modifier) for value in condition.values]


def _date(_dialect: str, condition: Condition, _base_url: str) -> list[Sql]:
    return [matches.period(read_date(value)) for value in condition.values]


def _ends_after(condition: Condition) -> int | None:
    """What `ge`, `gt` and `ap` say about the end of every interval that they accept."""
    if len(condition.values) != 1:
        return None
    span = read_date(condition.values[0])
    ends = {"ge": span.low, "gt": span.high, "ap": span.low}
    return int(ends[span.prefix]) if span.prefix in ends else None


def _quantity(condition: Condition, value: str) -> list[tuple[int, Sql]]:
    """A quantity: in base units where UCUM knows the unit, else as it is written."""
    code = condition.param.code
    span, system, unit = read_quantity(value)
    if based := matches.in_base_units(span, system, unit):
        span, base = based
        key = param_key(condition.type, f"{code}@{base}")
        return matches.measured(key, span, Sql("t.system = ?", (system_key(base),)))
    return matches.measured(param_key(condition.type, code), span, *matches.unit(system, unit))


def _uri(dialect: str, condition: Condition, _base_url: str) -> list[Sql]:
    return matches.uri(dialect, [unescape(value) for value in condition.values], condition.modifier)


def _reference(dialect: str, condition: Condition, base_url: str) -> list[Sql]:
    return [reference(dialect, condition, base_url)]


_MAKERS: dict[str, Callable[[str, Condition, str], list[Sql]]] = {
    "string": _string,
    "date": _date,
    "reference": _reference,
    "uri": _uri,
}
"""What each value of a parameter asks of its rows."""


@cache
def is_single_valued(resource_type: str, code: str) -> bool:
    """Whether no resource of the type can have two values for the parameter: one element, never an array."""
    definitions = load()
    param = definitions.search_params(resource_type).get(code)
    found = [] if param is None else list(leaves(definitions, resource_type, param))
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
