"""Values of composite parameters: `code$value` (https://hl7.org/fhir/R4/search.html#composite)."""

from __future__ import annotations

from fhir_profiles.definitions import SearchParam
from fhir_profiles.extract import normalise
from fhir_profiles.extract.composite import names, parts_of
from server.store.keys import indexed, param_key

from .composite import number_of
from .matches import LAST, all_of, any_row, in_base_units, measure, measured, period, tokens, unit
from .query import Condition, invalid, split_values, unescape
from .rows import MAX_STRING
from .sql import Sql, any_of
from .targets import targets_of
from .values import Span, read_date, read_number, read_quantity, read_token

_CODES = (("t.code", "t.system"), ("t.code2", "t.system2"))
_RANGES = (("t.lo", "t.hi"), ("t.lo2", "t.hi2"))


def together(dialect: str, condition: Condition, base_url: str) -> Sql:
    """One element has all parts of one of the values."""
    searched = names(condition.type, condition.param.code)
    rows = [
        row
        for value in condition.values
        for name in searched
        for row in _rows(dialect, condition, name, value, base_url)
    ]
    return any_row(dialect, "idx_composite", rows)


def _rows(dialect: str, condition: Condition, name: str, value: str, base_url: str) -> list[tuple[int, Sql]]:
    """What the rows of one name must fulfil for one value."""
    read = parts_of(condition.type, name)
    written = split_values(value, "$")
    if len(written) != len(read) or not all(written):
        raise invalid(f"{condition.param.code} takes {len(read)} parts with $ between them.")
    parts: list[Sql] = []
    codes, ranges, key = iter(_CODES), iter(_RANGES), name
    leading: Span | None = None
    for param, text in zip(read, written, strict=True):
        if param.type in ("token", "string", "reference"):
            parts.append(_word(dialect, condition, param, text, next(codes), base_url, first=not parts))
            continue
        lo, hi = next(ranges)
        if param.type == "date":
            parts.append(period(read_date(text), lo, hi))
            continue
        span, system, code = read_quantity(text) if param.type == "quantity" else (read_number(text), None, None)
        if based := in_base_units(span, system, code):
            span, key = based[0], f"{name}@{based[1]}"
        else:
            parts += unit(system, code, ("t.code2", "t.system2", "t.unit"))
        if leading is None:
            leading = span
        else:
            parts.append(measure(span, lo, hi))
    number = param_key(condition.type, key)
    return [(number, all_of(parts))] if leading is None else measured(number, leading, first=parts)


def _word(
    dialect: str,
    condition: Condition,
    param: SearchParam,
    text: str,
    columns: tuple[str, str],
    base_url: str,
    *,
    first: bool,
) -> Sql:
    """A code, a text or a reference; the second of a pair is found by the number made of it."""
    column, system = columns
    if param.type == "string":
        plain = normalise(unescape(text))
        if len(plain) > MAX_STRING:
            raise invalid(f"A text in {condition.param.code} has at most {MAX_STRING} characters.")
        return Sql(f"({column} >= ? AND {column} < ?)", (plain, plain + LAST))
    if param.type == "reference":
        one = Condition(condition.type, param, None, (text,))
        found = [indexed(target) for target in targets_of(one, unescape(text), base_url)]
        return any_of(dialect, column, found)
    of, code = read_token(text)
    asked = tokens(dialect, [(of, code)], column, system)
    if first or code is None or len(condition.param.components) > 2:
        return asked
    return Sql(f"(t.lo = ? AND {asked.text})", (number_of(indexed(code)), *asked.params))
