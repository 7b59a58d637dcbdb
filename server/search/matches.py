"""What one value asks of the columns of an index row (https://hl7.org/fhir/R4/search.html#prefix)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import orjson

from fhir_profiles.extract import normalise
from fhir_profiles.systems import UCUM
from server.store.keys import indexed, system_key
from terminology.ucum import canonical

from .query import invalid, split_values, unescape
from .rows import MAX_STRING
from .sql import Sql, any_of, join
from .values import Span, read_token

LAST = "\U0010ffff"
"""After every text that begins with what stands before it."""
DEEP = 64
FEW_PARTS = 16
_ARRAYS = {str: "text", int: "bigint", float: "double precision"}
_MARK = re.compile(r"\?")


def either(parts: Sequence[Sql]) -> Sql:
    """One of the parts holds. Many are nested in halves: SQLite limits how deep a chain of ORs may go."""
    if len(parts) <= DEEP:
        return join("OR", parts)
    half = len(parts) // 2
    return join("OR", [either(parts[:half]), either(parts[half:])])


def all_of(parts: Sequence[Sql]) -> Sql:
    """All of the parts hold, without parentheses around them: what looks for `t.param = ?` finds it in front."""
    return Sql(" AND ".join(part.text for part in parts), tuple(value for part in parts for value in part.params))


def any_row(dialect: str, table: str, rows: Sequence[tuple[int, Sql]]) -> Sql:
    """A row of one of the parameter keys fulfils what stands with the key; how many there are does not matter.

    A few become ORs. Many that differ in their values only become one list, and the rows are found from its side.
    """
    alike: dict[tuple[int, str], list[Sql]] = {}
    for key, part in rows:
        alike.setdefault((key, part.text), []).append(part)
    by_key: dict[int, list[Sql]] = {}
    for (key, _), parts in alike.items():
        found = parts if len(parts) <= FEW_PARTS else [_listed(dialect, table, key, parts)]
        by_key.setdefault(key, []).extend(found)
    keyed = [Sql(f"t.param = ? AND {(one := either(parts)).text}", (key, *one.params)) for key, parts in by_key.items()]
    return either(keyed)


def _listed(dialect: str, table: str, key: int, parts: Sequence[Sql]) -> Sql:
    """The resource has a row that fulfils one of many parts with the same text."""
    columns = list(zip(*(part.params for part in parts), strict=True))
    if dialect == "sqlite":
        names = iter([f"json_extract(v.value, '$[{n}]')" for n in range(len(columns))])
        values, params = "json_each(?) v", (orjson.dumps([part.params for part in parts]).decode(),)
    else:
        kinds = [_ARRAYS[type(column[0])] for column in columns]
        names = iter([f'v.c{n} COLLATE "C"' if kind == "text" else f"v.c{n}" for n, kind in enumerate(kinds)])
        arrays = ", ".join(f"?::{kind}[]" for kind in kinds)
        values = f"unnest({arrays}) AS v({', '.join(f'c{n}' for n in range(len(columns)))})"
        params = tuple(list(column) for column in columns)  # type: ignore[assignment]
    text = _MARK.sub(lambda _: next(names), parts[0].text.replace("t.", "q."))
    join = "CROSS JOIN" if dialect == "sqlite" else "JOIN"  # which SQLite takes as the order: each value, then its rows
    on = "WHERE" if dialect == "sqlite" else "ON"
    found = f"SELECT q.rid FROM {values} {join} {table} q {on} q.param = ? AND {text}"
    return Sql(f"t.rid IN ({found})", (*params, key))


def tokens(dialect: str, pairs: Iterable[tuple[str | None, str | None]], code: str, system: str) -> Sql:
    """Any of (system, code) in two columns, one array for each system; None is any, an empty system is none."""
    by_system: dict[str | None, list[str | None]] = {}
    for of, one in pairs:
        by_system.setdefault(of, []).append(one)
    parts = []
    for of, codes in by_system.items():
        if of is not None and None in codes:
            parts.append(Sql(f"{system} = ?", (system_key(of),)))
            continue
        found = any_of(dialect, code, [indexed(one or "") for one in codes])
        parts.append(found if of is None else Sql(f"({found.text} AND {system} = ?)", (*found.params, system_key(of))))
    return either(parts) if parts else Sql("1 = 0")


def token_values(values: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """The values of a token parameter."""
    return [read_token(value) for value in values]


def typed_identifier(text: str) -> tuple[str | None, str]:
    """`system|code|value` of `:of-type`, as it is indexed."""
    parts = [unescape(part) for part in split_values(text, "|")]
    if len(parts) != 3 or not parts[1] or not parts[2]:
        raise invalid("A value of :of-type is written system|code|value, with the system and code of the type.")
    return parts[0] or None, f"{parts[1]}|{parts[2]}"


def string(dialect: str, written: str, modifier: str | None) -> Sql:
    """Text that starts with what is written, is it (`exact`), contains it, or has each of its words (`text`)."""
    plain = normalise(written)
    start = plain[:MAX_STRING]
    if modifier == "exact":
        return Sql("(t.value = ? AND t.exact = ?)", (start, indexed(written)))
    if modifier == "contains":
        return contains(dialect, "coalesce(t.whole, t.value)", plain)
    if modifier == "text":
        words = [contains(dialect, "' ' || coalesce(t.whole, t.value)", f" {word}") for word in plain.split()]
        return join("AND", words) if words else Sql("1 = 0")
    if len(plain) > MAX_STRING:
        return Sql("(t.value = ? AND t.whole >= ? AND t.whole < ?)", (start, plain, plain + LAST))
    return Sql("(t.value >= ? AND t.value < ?)", (plain, plain + LAST))


def contains(dialect: str, column: str, text: str) -> Sql:
    """The column has the text somewhere."""
    return Sql(f"{'instr' if dialect == 'sqlite' else 'strpos'}({column}, ?) > 0", (text,))


def period(span: Span, lo: str = "t.lo", hi: str = "t.hi") -> Sql:
    """A half-open interval of time."""
    low, high = span.low, span.high
    match span.prefix:
        case "eq":
            return Sql(f"({lo} >= ? AND {lo} < ? AND {hi} <= ?)", (low, high, high))
        case "ne":
            return Sql(f"({lo} < ? OR {hi} > ?)", (low, high))
        case "gt":
            return Sql(f"{hi} > ?", (high,))
        case "lt":
            return Sql(f"{lo} < ?", (low,))
        case "ge":
            return Sql(f"({hi} > ? AND ({lo} >= ? OR {hi} > ?))", (low, low, high))
        case "le":
            return Sql(f"({lo} < ? AND ({lo} < ? OR {hi} <= ?))", (high, low, high))
        case "sa":
            return Sql(f"{lo} >= ?", (high,))
        case "eb":
            return Sql(f"{hi} <= ?", (low,))
    return Sql(f"({lo} < ? AND {hi} > ?)", (high, low))


def instant(span: Span) -> Sql:
    """The moment of the last change."""
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


def measure(span: Span, lo: str = "t.lo", hi: str = "t.hi") -> Sql:
    """A number or the interval of a Range; both ends belong to it. For `gt`, `ge` and `ap` see `measured`."""
    low, high, exact = span.low, span.high, span.exact
    match span.prefix:
        case "eq":
            return Sql(f"({lo} >= ? AND {lo} < ? AND {hi} < ?)", (low, high, high))
        case "ne":
            return Sql(f"({lo} < ? OR {hi} >= ?)", (low, high))
        case "gt" | "sa":
            return Sql(f"{lo} > ?", (exact,))
        case "lt":
            return Sql(f"{lo} < ?", (exact,))
        case "ge":
            return Sql(f"{lo} >= ?", (exact,))
        case "le":
            return Sql(f"{lo} <= ?", (exact,))
        case "eb":
            return Sql(f"({lo} < ? AND {hi} < ?)", (exact, exact))
    return Sql(f"({lo} >= ? AND {lo} <= ?)", (low, high))


def reaching(span: Span) -> Sql | None:
    """What the second rows of intervals must fulfil beside `measure`, for prefixes that ask where a value ends."""
    if span.prefix == "gt":
        return Sql("t.hi > ?", (span.exact,))
    if span.prefix == "ge":
        return Sql("t.hi >= ?", (span.exact,))
    return Sql("(t.lo <= ? AND t.hi >= ?)", (span.high, span.low)) if span.prefix == "ap" else None


def measured(key: int, span: Span, *others: Sql, first: Sequence[Sql] = ()) -> list[tuple[int, Sql]]:
    """The rows of a number: points and intervals that begin where they must, and intervals that reach there."""
    rows = [(key, all_of([*first, measure(span), *others]))]
    if (beyond := reaching(span)) is not None:
        rows.append((-key, all_of([*first, beyond, *others])))
    return rows


def in_base_units(span: Span, system: str | None, code: str | None) -> tuple[Span, str] | None:
    """A quantity of UCUM in base units, and which; None for others."""
    if system != UCUM or not code:
        return None
    found = [canonical(Decimal(repr(value)), code) for value in (span.low, span.exact, span.high)]
    if None in found:
        return None
    low, exact, high = (float(one[0]) for one in found if one is not None)
    prefix = span.prefix
    if low > high:  # a scale that falls, such as [pH]: what was greater is less
        low, high = high, low
        prefix = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge", "sa": "eb", "eb": "sa"}.get(prefix, prefix)
    low, high = min(low, exact), max(high, math.nextafter(exact, math.inf))  # beyond 17 digits all are one double
    return Span(prefix, low, high, exact), found[0][1]  # type: ignore[index]


def unit(
    system: str | None, code: str | None, columns: tuple[str, str, str] = ("t.code", "t.system", "t.unit")
) -> list[Sql]:
    """What a unit asks: with a system the code in it; without one, the code or the unit as it is written."""
    of_code, of_system, written = columns
    wanted = []
    if code is not None and system is not None:
        wanted.append(Sql(f"{of_code} = ?", (indexed(code),)))
    elif code is not None:
        wanted.append(Sql(f"({of_code} = ? OR {written} = ?)", (indexed(code),) * 2))
    if system is not None:
        wanted.append(Sql(f"{of_system} = ?", (system_key(system),)))
    return wanted


def uri(dialect: str, values: Sequence[str], modifier: str | None) -> list[Sql]:
    """Equal, at or below a path, at or above one, or with a text in it."""
    match modifier:
        case "below":
            return [_below(value) for value in values]
        case "above":
            return [any_of(dialect, "t.value", [indexed(one) for value in values for one in _ancestors(value)])]
        case "contains":
            return [contains(dialect, "t.value", value) for value in values]
    return [any_of(dialect, "t.value", [indexed(value) for value in values])]


def _below(value: str) -> Sql:
    prefix = value.rstrip("/") + "/"
    return Sql("(t.value = ? OR (t.value >= ? AND t.value < ?))", (indexed(value), prefix, prefix + LAST))


def _ancestors(value: str) -> list[str]:
    """The URI and every path above it, with or without its slash."""
    found = {value: None}
    for at, mark in enumerate(value):
        if mark == "/":
            stem = value[:at].rstrip("/")
            found |= dict.fromkeys((stem, f"{stem}/", f"{stem}//"))
    found.pop("", None)
    return list(found)
