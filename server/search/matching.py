"""The index rows for the operators of `_filter` that no modifier says (https://hl7.org/fhir/R4/search_filter.html).

They come as a condition whose modifier is `=` and the operator.
"""

from __future__ import annotations

from fhir_profiles.extract import normalise
from server.store.keys import system_key

from .conditions import Rows, rows_of
from .query import Condition, too_costly, unescape
from .sql import Sql
from .values import read_date, read_token

_COLUMNS = {"string": "value", "token": "code", "uri": "value"}
RANK = 9  # they read all rows of a parameter
LONGEST = 4096
"""Letters of a value that is looked for inside of texts: engines refuse patterns beyond some length."""


def matching_rows(dialect: str, condition: Condition, base_url: str) -> Rows:
    """The rows that satisfy such a condition."""
    operator = (condition.modifier or "")[1:]
    plain = rows_of(dialect, Condition(condition.type, condition.param, None, condition.values), base_url)
    key, value = plain.where.params[0], condition.values[0]
    if operator == "po":
        span = read_date(value)
        where = Sql("t.param = ? AND t.lo < ? AND t.hi > ?", (key, span.high, span.low))
    elif operator == "ne" and condition.param.type != "string":
        equal = plain.where.text.removeprefix("t.param = ? AND ")
        where = Sql(f"t.param = ? AND NOT ({equal})", plain.where.params)
    else:
        where = _text(key, condition.param.type, operator, value)
    return Rows(plain.table, where, RANK)


def _text(key: int, kind: str, operator: str, value: str) -> Sql:
    """Rows whose text is, is not, contains, starts or ends with the value, in whatever case."""
    column, system, wanted = f"t.{_COLUMNS[kind]}", None, unescape(value)
    if kind == "string":
        wanted = normalise(wanted)
    elif kind == "token":
        system, code = read_token(value)
        wanted = code or ""
    if operator in ("eq", "ne"):
        return Sql(f"t.param = ? AND {column} {'=' if operator == 'eq' else '<>'} ?", (key, wanted))
    if len(wanted) > LONGEST:
        raise too_costly(f"A value of co, sw and ew has at most {LONGEST} letters.")
    escaped = _lower(wanted).replace("!", "!!").replace("%", "!%").replace("_", "!_")
    pattern = {"co": f"%{escaped}%", "sw": f"{escaped}%", "ew": f"%{escaped}"}[operator]
    like = Sql(f"t.param = ? AND lower({column}) LIKE ? ESCAPE '!'", (key, pattern))
    return like if system is None else Sql(f"{like.text} AND t.system = ?", (*like.params, system_key(system)))


def _lower(text: str) -> str:
    """Lower case of ASCII letters only, as both engines do it."""
    return "".join(chr(ord(mark) + 32) if "A" <= mark <= "Z" else mark for mark in text)
