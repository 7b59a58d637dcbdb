"""From a node of the search to SQL: how a row id is checked for it, and the SELECT that finds its row ids."""

from __future__ import annotations

from functools import cache

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.errors import FhirError
from server.phi.blind import Blind
from server.store.keys import param_key

from .blinded import blind_rows
from .codes import Codes
from .conditions import Rows, element_of, rows_of
from .matching import matching_rows
from .present import PRESENT
from .query import Chain, Condition, Every, Has, Node, Not, Some, naming
from .reach import Reach
from .rows import WIDE
from .sql import Sql, join, negate
from .values import read_date

NEVER = Sql("1 = 0")
ALWAYS = Sql("1 = 1")
SURE, CHAINED, NEGATED, LAST = 3, 4, 50, 99
"""Ranks: up to SURE a condition leaves few resources and leads the search unasked; LAST cannot lead it."""


class Scope(msgspec.Struct, frozen=True):
    """What every node of a search is put into SQL with."""

    dialect: str
    base_url: str
    reach: Reach
    codes: Codes | None = None
    blind: Blind | None = None
    """What hashes the values of the index, where they are hashed."""


class Window(msgspec.Struct, frozen=True):
    """When the intervals of some date rows can begin: at `low` or later, before `high`; None for no bound.

    With `wide` the lower bound is that of rows that are not wide: others may begin before it.
    """

    low: int | None
    high: int | None
    wide: bool = False


class Part(msgspec.Struct, frozen=True):
    """A node in SQL. `check` is a condition on `{rid}`; `rids` selects the row ids, where an index can.

    `rows` are the index rows when the node is one positive condition; `inner` is what a chain has to find first; `node`
    is what was put into SQL.
    """

    check: Sql
    rids: Sql | None = None
    rank: int = LAST
    rows: Rows | None = None
    inner: Part | None = None
    node: Node | None = None
    steps: tuple[Sql, ...] = ()
    last: Sql | None = None
    """Of a chain: what is found before, as tables `h1`, `h2`, …, and the SELECT that goes on from there."""
    window: Window | None = None
    """What a condition on one date says about the beginning."""


def part_of(scope: Scope, node: Node, depth: int = 0) -> Part:
    """A node in SQL; `depth` keeps the names of nested tables apart."""
    return msgspec.structs.replace(_part(scope, node, depth), node=node)


def _part(scope: Scope, node: Node, depth: int) -> Part:
    match node:
        case Condition():
            return _leaf(scope, node)
        case Chain():
            return _chain(scope, node, depth + 1)
        case Has():
            return _has(scope, node, depth + 1)
        case Every():
            return _every([part_of(scope, part, depth) for part in node.parts], depth)
        case Some():
            return _some([part_of(scope, part, depth) for part in node.parts])
        case Not():
            return Part(negate(part_of(scope, node.part, depth).check))


def about(part: Sql, rid: str) -> str:
    """The text of a check, about this row id."""
    return part.text.replace("{rid}", rid)


def exists(dialect: str, rows: Rows) -> Sql:
    """That the resource has such a row, or has none when the condition is negated.

    It looks at the rows of the one resource. Without `+` and OFFSET the engines would rather go through all rows of
    the parameter, or make a join of it and guess how few rows pass: 12 ms instead of 0.2 for a page.
    """
    word = "NOT EXISTS" if rows.negated else "EXISTS"
    where, end = rows.where.text, ""
    if dialect == "sqlite":
        where = where.replace("t.param = ?", "+t.param = ?")
    else:
        where, end = where.replace("t.param = ?", "t.param + 0 = ?"), " OFFSET 0"
    return Sql(f"{word} (SELECT 1 FROM {rows.table} t WHERE t.rid = {{rid}} AND {where}{end})", rows.where.params)


def driving(rows: Rows) -> Sql:
    """A SELECT of the row ids of these rows; of a window of time as a range of one index, and the wide intervals."""
    text, params = f"SELECT t.rid FROM {rows.table} t WHERE {rows.where.text}", rows.where.params
    if rows.table == "resource":
        text += " AND t.change <> 'D'"
    if rows.ends_after is None:
        return Sql(text, params)
    short = Sql(f"{text} AND t.lo > ?", (*params, rows.ends_after - WIDE))
    return Sql(f"{short.text} UNION ALL {text}", (*short.params, -params[0], *params[1:]))


def live(resource_type: str, alias: str, reach: Reach) -> Sql:
    """That the row `alias` of `resource` is a resource of the type, not deleted, and within reach."""
    text, params = f"{alias}.type = ? AND {alias}.change <> 'D'", (resource_type,)
    seen = reach(resource_type)
    if seen is None:
        return Sql(text, params)
    return Sql(f"{text} AND {about(seen, f'{alias}.rid')}", (*params, *seen.params))


def _rows(scope: Scope, condition: Condition) -> Rows:
    """The rows that satisfy a condition; FhirError that names the parameter whose value is wrong."""
    try:
        if scope.blind is not None:
            return blind_rows(scope.blind, scope.dialect, condition, scope.base_url, scope.codes)
        if condition.modifier is not None and condition.modifier.startswith("="):
            return matching_rows(scope.dialect, condition, scope.base_url)
        return rows_of(scope.dialect, condition, scope.base_url, scope.codes)
    except FhirError as error:
        raise naming(error, condition.param.code) from None


def _leaf(scope: Scope, condition: Condition) -> Part:
    rows = _rows(scope, condition)
    check = exists(scope.dialect, rows)
    if rows.negated:
        if rows.others is None:
            return Part(check)
        found = f"SELECT o.rid FROM ({rows.others.text}) o WHERE {about(check, 'o.rid')}"
        rids = Sql(found, (*rows.others.params, *check.params))
        return Part(check, rids, NEGATED, inner=Part(ALWAYS, rows.others))
    window = _window(condition) if rows.table == "idx_date" and not rows.hidden else None
    return Part(check, driving(rows), rows.rank, rows, window=window)


def _window(condition: Condition) -> Window | None:
    """When what satisfies the condition can begin; None when it says too little."""
    if condition.modifier is not None or len(condition.values) != 1:
        return None
    span = read_date(condition.values[0])
    low, high = int(span.low), int(span.high)
    match span.prefix:
        case "eq":
            return Window(low, high)
        case "sa":
            return Window(high, None)
        case "lt" | "eb":
            return Window(None, low)
        case "le":
            return Window(None, high)
        case "ge":
            return Window(low - WIDE, None, wide=True)
        case "gt":
            return Window(high - WIDE, None, wide=True)
        case "ap":
            return Window(low - WIDE, high, wide=True)
    return None


def _every(parts: list[Part], depth: int) -> Part:
    if not parts:
        return Part(ALWAYS)
    check = join("AND", [part.check for part in parts])
    first = min(parts, key=lambda part: part.rank)
    if first.rids is None:
        return Part(check)
    others = [part.check for part in parts if part is not first]
    if not others:
        return first
    name = f"e{depth}"
    rest = join("AND", others)
    text = f"SELECT {name}.rid FROM ({first.rids.text}) {name} WHERE {about(rest, f'{name}.rid')}"
    return Part(check, Sql(text, (*first.rids.params, *rest.params)), first.rank, inner=first)


def _some(parts: list[Part]) -> Part:
    if not parts:
        return Part(NEVER, Sql("SELECT t.rid FROM resource t WHERE 1 = 0"), 0)
    check = join("OR", [part.check for part in parts])
    found = [part.rids for part in parts if part.rids is not None]
    if len(found) < len(parts):
        return Part(check)
    text = " UNION ALL ".join(f"SELECT * FROM ({one.text}) u" for one in found)
    return Part(check, Sql(text, tuple(value for one in found for value in one.params)), max(p.rank for p in parts))


def _chain(scope: Scope, chain: Chain, depth: int) -> Part:
    """References to resources of the target type that satisfy the node: checked forwards, found from their side."""
    inner = part_of(scope, chain.node, depth)
    x, c, prefix = f"x{depth}", f"c{depth}", f"{chain.target}/"
    key = param_key(chain.type, chain.param.code)
    there = live(chain.target, c, scope.reach)
    check = Sql(
        f"EXISTS (SELECT 1 FROM idx_reference {x} JOIN resource {c} ON {c}.id = substr({x}.target, {len(prefix) + 1})"
        f" WHERE {x}.rid = {{rid}} AND {x}.param + 0 = ? AND {x}.target >= ? AND {x}.target < ? AND {there.text}"
        f" AND {about(inner.check, f'{c}.rid')}{apart(scope.dialect)})",
        (key, prefix, _after(prefix), *there.params, *inner.check.params),
    )
    if inner.rids is None:
        return Part(check)
    found = inner.last or inner.rids
    steps = (*inner.steps, found)
    last = Sql(
        f"SELECT {x}.rid FROM idx_reference {x} WHERE {x}.param = ? AND {x}.target IN"
        f" (SELECT ? || {c}.id FROM resource {c} WHERE {c}.rid IN (SELECT * FROM h{len(steps)}) AND {there.text})",
        (key, prefix, *there.params),
    )
    return _stepwise(check, steps, last, inner)


def _has(scope: Scope, has: Has, depth: int) -> Part:
    """Resources that something which satisfies the node refers to."""
    inner = part_of(scope, has.node, depth)
    coded = inner.rows if inner.rows is not None and inner.rows.single and inner.rows.table == "idx_token" else None
    whole = scope.reach(has.source) is None
    if coded and whole and has.type == "Patient" and names_patient(has.source, has.param.code):
        return _of_patients(scope, has, inner, coded)
    x, c, prefix = f"x{depth}", f"c{depth}", f"{has.type}/"
    key = param_key(has.source, has.param.code)
    seen = scope.reach(has.source) or ALWAYS
    check = Sql(
        f"EXISTS (SELECT 1 FROM idx_reference {x} WHERE {x}.param = ? AND {x}.target ="
        f" ? || (SELECT {c}.id FROM resource {c} WHERE {c}.rid = {{rid}}) AND {about(seen, f'{x}.rid')}"
        f" AND {about(inner.check, f'{x}.rid')}{apart(scope.dialect)})",
        (key, prefix, *seen.params, *inner.check.params),
    )
    if inner.rids is None:
        return Part(check)
    steps = (*inner.steps, inner.last or inner.rids)
    last = Sql(
        f"SELECT {c}.rid FROM resource {c} WHERE {c}.type = ? AND {c}.change <> 'D' AND {c}.id IN"
        f" (SELECT substr({x}.target, {len(prefix) + 1}) FROM idx_reference {x} WHERE {x}.param + 0 = ?"
        f" AND {x}.target >= ? AND {x}.target < ? AND {x}.rid IN (SELECT * FROM h{len(steps)})"
        f" AND {about(seen, f'{x}.rid')})",
        (has.type, key, prefix, _after(prefix), *seen.params),
    )
    return _stepwise(check, steps, last, inner)


def _of_patients(scope: Scope, has: Has, inner: Part, rows: Rows) -> Part:
    """Patients of whom something has a code: its rows carry the patient, as one row of each Patient itself does.

    The patient of a row can come from another element where the reference says none, so that is looked at as well.
    """
    own, key = param_key("Patient", PRESENT), param_key(has.source, has.param.code)
    found = Sql(
        f"FROM idx_token t WHERE {rows.where.text} AND EXISTS (SELECT 1 FROM idx_reference x WHERE x.rid = t.rid"
        " AND x.param + 0 = ? AND x.target >= 'Patient/' AND x.target < 'Patient0')",
        (*rows.where.params, key),
    )
    patient = "(SELECT p.patient FROM idx_token p WHERE p.rid = {rid} AND p.param + 0 = ?)"
    check = Sql(f"EXISTS (SELECT 1 {found.text} AND t.patient = {patient}{apart(scope.dialect)})", (*found.params, own))
    rids = f"SELECT p.rid FROM idx_token p WHERE p.param = ? AND p.patient IN (SELECT t.patient {found.text})"
    return Part(check, Sql(rids, (own, *found.params)), CHAINED, inner=inner)


@cache
def names_patient(resource_type: str, code: str) -> bool:
    """Whether the patient column of index rows says the same as the reference parameter.

    The column is of the first compartment parameter, which may be absent; a resource can have one only.
    """
    if code not in ("patient", "subject"):
        return False
    declared = load().compartment("Patient").get(resource_type, ())
    first = next((name for name in ("patient", "subject") if name in declared), None)
    element = None if first is None else element_of(resource_type, first)
    return element is not None and element_of(resource_type, code) == element


def _stepwise(check: Sql, steps: tuple[Sql, ...], last: Sql, inner: Part) -> Part:
    """A part whose row ids are found step by step, the end of the chain first.

    Each step has a name and stands beside the others, because SQLite reads only so many levels of parentheses.
    """
    named = ", ".join(f"h{n} AS MATERIALIZED ({step.text})" for n, step in enumerate(steps, 1))
    rids = Sql(f"WITH {named} {last.text}", (*(value for step in steps for value in step.params), *last.params))
    rank = CHAINED if inner.rank > SURE else SURE
    return Part(check, rids, rank, inner=inner, steps=steps, last=last)


def _after(prefix: str) -> str:
    """The first text after all that begin with `Type/`."""
    return f"{prefix[:-1]}{chr(ord('/') + 1)}"


def apart(dialect: str) -> str:
    """What keeps PostgreSQL from making a join of an EXISTS."""
    return "" if dialect == "sqlite" else " OFFSET 0"
