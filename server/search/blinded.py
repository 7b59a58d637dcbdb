"""Conditions on what is kept as keyed hashes: equality, and beginnings of texts; all else is refused (RFC 2104).

Whatever is not hidden goes the way of all conditions.
"""

from __future__ import annotations

from fhir_profiles.extract import normalise
from fhir_profiles.extract.composite import names
from fhir_profiles.extract.leaves import places
from server.phi.blind import PREFIX, Blind
from server.store.keys import indexed, param_key
from server.store.sealing import sealing_of

from .codes import Codes, pairs_of
from .conditions import Rows, rows_of, token_rows
from .matches import any_row, typed_identifier
from .matching import matching_rows
from .query import Condition, Sort, unescape, unsupported
from .sql import Sql
from .values import read_date, read_token
from .view import View


def blind_of(view: View) -> Blind | None:
    """The hashes of the database that a view reads; None when it keeps values as they are."""
    sealing = sealing_of(view.engine)
    return None if sealing is None else sealing.blind


def refuse_order(blind: Blind, resource_type: str, sort: Sort) -> None:
    """Hashes have no order: refuse to sort by what is kept as one."""
    key = param_key(sort.target or resource_type, sort.code)
    hidden = {"string": True, "token": blind.hides_token(key), "uri": blind.hides_uri(key)}.get(sort.kind, False)
    if hidden or blind.hides_date(key):
        raise _refused(sort.code, "cannot be sorted by")


def blind_rows(blind: Blind, dialect: str, condition: Condition, base_url: str, codes: Codes | None) -> Rows:
    """The rows that satisfy a condition."""
    param, code, modifier = condition.param, condition.param.code, condition.modifier
    if code in ("_text", "_content"):
        raise unsupported(f"{code} is not indexed: this server keeps no words of resources in clear.")
    operator = modifier is not None and modifier.startswith("=")
    if modifier == "missing" or code.startswith("_id"):
        return rows_of(dialect, condition, base_url, codes)
    key = param_key(condition.type, code)
    if modifier == "text" and param.type in ("token", "reference"):
        return _shown(blind, dialect, condition)
    if param.type == "string":
        return Rows("idx_string", any_row(dialect, "idx_string", _texts(blind, key, condition)), 5)
    if param.type == "composite" and any(
        blind.lacks(param_key(condition.type, n)) for n in names(condition.type, code)
    ):
        raise _refused(code, "cannot be searched for")
    if param.type == "date" and blind.hides_date(key):
        return Rows("idx_date", any_row(dialect, "idx_date", _dates(blind, key, condition)), 5, hidden=True)
    if param.type == "reference" and modifier == "identifier":
        field = param_key(condition.type, f"{code}:identifier")
        return _tokens(blind, dialect, condition, field, [read_token(value) for value in condition.values])
    if param.type == "token" and modifier == "of-type":
        field = param_key(condition.type, f"{code}:of-type")
        return _tokens(blind, dialect, condition, field, [typed_identifier(value) for value in condition.values])
    if param.type == "token" and blind.hides_token(key):
        if operator:
            raise _refused(code, "can only be compared as a whole")
        if modifier in ("in", "not-in", "below", "above"):
            return _tokens(blind, dialect, condition, key, list(pairs_of(condition, codes, base_url)))
        return _tokens(blind, dialect, condition, key, [read_token(value) for value in condition.values])
    if param.type == "uri" and blind.hides_uri(key):
        if modifier is not None:
            raise _refused(code, "can only be compared as a whole")
        values = [blind.uri(key, indexed(unescape(value))) for value in condition.values]
        return Rows("idx_uri", any_row(dialect, "idx_uri", [(key, Sql("t.value = ?", (one,))) for one in values]), 2)
    if operator:
        return matching_rows(dialect, condition, base_url)
    return rows_of(dialect, condition, base_url, codes)


def _tokens(
    blind: Blind, dialect: str, condition: Condition, key: int, pairs: list[tuple[str | None, str | None]]
) -> Rows:
    hashed = [(system, None if code is None else blind.word(key, indexed(code))) for system, code in pairs]
    return token_rows(dialect, condition, key, hashed, rank=2)


def _texts(blind: Blind, key: int, condition: Condition) -> list[tuple[int, Sql]]:
    code = condition.param.code
    if condition.modifier not in (None, "exact"):
        raise _refused(code, "can only be searched for by its beginning or with :exact")
    return [
        (key, _text(blind, key, unescape(value), exact=condition.modifier == "exact")) for value in condition.values
    ]


def _text(blind: Blind, key: int, written: str, *, exact: bool = False) -> Sql:
    plain = normalise(written)
    if exact:
        return Sql("(t.value = ? AND t.exact = ?)", (blind.whole(key, plain), blind.exact(key, indexed(written))))
    if not plain:
        return Sql("t.value <> ''")
    return Sql("t.value = ?", (blind.start(key, plain),))


def _shown(blind: Blind, dialect: str, condition: Condition) -> Rows:
    """`:text`: what a person reads of a code or reference starts with the value."""
    keys = [param_key(condition.type, f"{place}:text") for place in places(condition.type, condition.param)]
    if not keys:
        raise unsupported(f"{condition.param.code} has no text that :text could search.")
    rows = [(key, _text(blind, key, unescape(value))) for key in keys for value in condition.values]
    return Rows("idx_string", any_row(dialect, "idx_string", rows), 5)


def _dates(blind: Blind, key: int, condition: Condition) -> list[tuple[int, Sql]]:
    rows = []
    for value in condition.values:
        span = read_date(value)
        if span.prefix != "eq" or condition.modifier is not None:
            raise _refused(condition.param.code, "can only be searched for by a whole day, month or year")
        rows.append((key, Sql("t.lo = ?", (blind.number(key, span.low, span.high),))))
    return rows


def _refused(code: str, what: str) -> Exception:
    text = f"{code} {what}: this server keeps it as a keyed hash. Texts are found by up to {PREFIX} letters."
    return unsupported(text)
