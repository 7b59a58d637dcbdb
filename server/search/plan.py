"""From one branch of a query to a SELECT of row ids in order, with keyset paging (https://hl7.org/fhir/R4/search.html#sort).

A few resources are found first and put in order; many are never gathered: the page comes from an index in its order,
and each row is checked for the other conditions until the page is full. `ways` decides which. The order never depends
on the page, so that paging neither repeats nor skips while others write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from server.store.keys import param_key

from .conditions import TABLES, Rows, is_single_valued
from .order import KEY_COLUMNS, LATEST, nothing, sort_key
from .query import Branch
from .rows import NO_DATE, WIDE
from .sql import Sql
from .tree import Part, Scope, Window, about, apart

COLUMNS = "r.rid, r.type, r.id, r.version, r.body"
INDEX_ORDER = {
    "idx_token": ("code", "date"),
    "idx_string": ("value",),
    "idx_date": ("lo", "hi"),
    "idx_reference": ("target", "date"),
    "idx_quantity": ("lo", "hi"),
    "idx_uri": ("value",),
    "idx_composite": ("code", "lo", "hi"),
}
_NAME = re.compile(r"\bt(?=\.)")


class Plan(msgspec.Struct, frozen=True):
    """How to find a page: a SELECT of row ids with `keys` that order it, up to its ORDER BY.

    `base` ends in a WHERE that more conditions can be added to with AND; `descending` has one flag for each key, and
    the last key is the row id.
    """

    base: Sql
    keys: tuple[Sql, ...]
    descending: tuple[bool, ...]
    distinct: bool = False
    rest: Plan | None = None
    """Where the matches that come after all of these are found, with the same keys."""

    def reversed(self) -> Plan:
        """The plan that finds the same in the opposite order."""
        plans: list[Plan] = []
        plan: Plan | None = self
        while plan is not None:
            plans.append(plan)
            plan = plan.rest
        turned: Plan | None = None
        for one in plans:
            turned = msgspec.structs.replace(one, descending=tuple(not down for down in one.descending), rest=turned)
        assert turned is not None
        return turned


def page_sql(plan: Plan, after: tuple[Any, ...] | None, limit: int) -> Sql:
    """The statement for one page: the columns of the resource, then the keys of its place in the order."""
    keys, downs, places, end = plan.keys, plan.descending, "", ""
    if keys[
        0
    ].text.isdigit():  # the same for all rows here, which come after the place, before it, or must be looked at
        constant = int(keys[0].text)
        if after is not None and constant != after[0]:
            end, after = (" AND 1 = 0" if (constant > after[0]) is downs[0] else ""), None
        keys, downs, places, after = keys[1:], downs[1:], f"{constant}, ", after[1:] if after is not None else None
    names = [f"k{n}" for n in range(len(keys))]
    select = ", ".join(f"{key.text} AS {name}" for key, name in zip(keys, names, strict=True))
    order = [f"{name} DESC" if down else name for name, down in zip(names, downs, strict=True)]
    inner = f"SELECT {'DISTINCT ' if plan.distinct else ''}{select} {plan.base.text}{end}"
    params = (*(value for key in keys for value in key.params), *plan.base.params)
    if after is not None:
        if all(_is_column(key) for key in keys):
            beyond = _beyond([key.text for key in keys], downs, after)
            inner, params = f"{inner} AND {beyond.text}", (*params, *beyond.params)
        else:
            if _is_column(keys[0]):  # so that the index is entered where the page begins
                inner, params = f"{inner} AND {keys[0].text} {'<=' if downs[0] else '>='} ?", (*params, after[0])
            beyond = _beyond(names, downs, after)
            inner, params = f"SELECT * FROM ({inner}) b WHERE {beyond.text}", (*params, *beyond.params)
    inner += f" ORDER BY {', '.join(order)} LIMIT {limit:d}"  # as text: a plan for any limit would expect a long page
    places += ", ".join(f"q.{name}" for name in names)
    last = ", ".join(f"q.{part}" for part in order)
    return Sql(
        f"SELECT {COLUMNS}, {places} FROM ({inner}) q JOIN resource r ON r.rid = q.{names[-1]} ORDER BY {last}", params
    )


def _is_column(key: Sql) -> bool:
    """Whether the key is a column, which a WHERE can name and an index can serve."""
    return "(" not in key.text and key.text.startswith("d.")


def _beyond(keys: Sequence[str], descending: tuple[bool, ...], after: tuple[Any, ...]) -> Sql:
    """What comes after the given place in the order."""
    if len(set(descending)) == 1:
        sign = "<" if descending[0] else ">"
        return Sql(f"({', '.join(keys)}) {sign} ({', '.join('?' * len(keys))})", after)
    parts, params = [], []
    for n, (key, down) in enumerate(zip(keys, descending, strict=True)):
        equal = "".join(f"{other} = ? AND " for other in keys[:n])
        parts.append(f"({equal}{key} {'<' if down else '>'} ?)")
        params += [*after[:n], after[n]]
    return Sql(f"({' OR '.join(parts)})", tuple(params))


def gathered(scope: Scope, branch: Branch, found: Sql, checks: Sequence[Sql]) -> Plan:
    """The few that `found` selects, put in order."""
    base = where(f"FROM (SELECT DISTINCT u.rid FROM ({found.text}) u) d WHERE 1 = 1", found.params, checks)
    if not branch.sorts:
        return Plan(base, (Sql("d.rid"),), (False,))
    return Plan(base, *_sorted_keys(scope, branch))


def _of_type(branch: Branch) -> str:
    """All of a type; its name as text, because PostgreSQL must know how many there are."""
    return f"FROM resource d WHERE d.type = '{branch.type}' AND d.change <> 'D'"


def of_type(branch: Branch, checks: Sequence[Sql]) -> Plan:
    """All of a type by id."""
    base = where(_of_type(branch), (), checks)
    return Plan(base, (Sql("d.id"), Sql("d.rid")), (False, False))


def by_date(rows: Rows, checks: Sequence[Sql], *, down: bool, within: Within | None = None) -> Plan:
    """The rows of one code or of one target in the order of the main date; those without one come last.

    `within` limits them to those that a condition on that date can fulfil.
    """
    text, params = f"FROM {rows.table} d WHERE {_NAME.sub('d', rows.where.text)}", rows.where.params
    keys, downs = (Sql("d.date"), Sql("d.rid")), (down, down)
    if within is not None:
        return _within(Sql(text, params), checks, downs, within)
    if down:
        return Plan(where(text, params, checks), keys, downs, distinct=True)
    dated = where(f"{text} AND d.date > ?", (*params, NO_DATE), checks)
    undated = where(f"{text} AND d.date = ?", (*params, NO_DATE), checks)
    rest = Plan(undated, (Sql(str(LATEST)), Sql("d.rid")), downs, distinct=True)
    return Plan(dated, keys, downs, distinct=True, rest=rest)


class Within(msgspec.Struct, frozen=True):
    """A window on the main date: the rows of the condition on it, and what they are checked for in their turn."""

    window: Window
    rows: Rows
    checks: tuple[Sql, ...]


def _within(start: Sql, checks: Sequence[Sql], downs: tuple[bool, ...], within: Within) -> Plan:
    """The rows that begin in the window, and the wide intervals that begin before it from their own index."""
    low, high = within.window.low, within.window.high
    text, params = f"{start.text} AND d.date > ?", [*start.params, NO_DATE]
    for edge, sign in ((low, ">="), (high, "<")):
        if edge is not None:
            text, params = f"{text} AND d.date {sign} ?", [*params, edge]
    near = Plan(where(text, tuple(params), checks), (Sql("d.date"), Sql("d.rid")), downs, distinct=True)
    if not within.window.wide:
        return near
    found = within.rows.where
    far = where(
        f"FROM {within.rows.table} d WHERE {_NAME.sub('d', found.text)} AND d.lo < ?",
        (-found.params[0], *found.params[1:], low),
        within.checks,
    )
    before = Plan(far, (Sql("d.lo"), Sql("d.rid")), downs, distinct=True)
    first, second = (near, before) if downs[0] else (before, near)
    return msgspec.structs.replace(first, rest=second)


def by_index(scope: Scope, rows: Rows, checks: Sequence[Sql], *, single: bool) -> Plan:
    """The rows of a condition in the order of their index, each resource at its first row; dates latest first.

    `single` says that no resource has two of the parameter.
    """
    down = rows.table == "idx_date"
    columns = INDEX_ORDER[rows.table]
    if len(turns := _turns(rows.where)) > 1:
        return _in_turn(scope, rows.table, turns, checks)
    keys = (*(Sql(f"d.{column}") for column in columns), Sql("d.rid"))
    downs = (down,) * len(keys)
    text, params = _NAME.sub("d", rows.where.text), rows.where.params
    beside = _NAME.sub("e", rows.where.text).replace("e.param = ?", "e.param + 0 = ?")
    first = [] if single else [_none_before(scope, rows.table, columns, Sql(beside, params), ">" if down else "<")]
    if rows.ends_after is None:
        return Plan(where(f"FROM {rows.table} d WHERE {text}", params, [*first, *checks]), keys, downs, not single)
    edge = rows.ends_after - WIDE
    short = where(f"FROM {rows.table} d WHERE {text} AND d.lo > ?", (*params, edge), [*first, *checks])
    begin = f"FROM {rows.table} d WHERE {text} AND d.lo <= ?"
    wide = where(begin, (-params[0], *params[1:], edge), [*first, *checks])
    return Plan(short, keys, downs, not single, Plan(wide, keys, downs, not single))


def _turns(found: Sql) -> list[Sql]:
    """The alternatives of rows that have several parameter keys, which have no common order in the index."""
    if not found.text.startswith("(t.param = ? AND "):
        return [found]
    first, *others = found.text[1:-1].split(" OR t.param = ?")
    turns, params = [], list(found.params)
    for text in (first, *(f"t.param = ?{other}" for other in others)):
        count = text.count("?")
        turns.append(Sql(text, tuple(params[:count])))
        del params[:count]
    return turns


def _in_turn(scope: Scope, table: str, turns: Sequence[Sql], checks: Sequence[Sql]) -> Plan:
    """The rows of each key in the order of the index, one key after the other; a resource with its first row."""
    columns = INDEX_ORDER[table]
    plan: Plan | None = None
    beside = [_NAME.sub("e", turn.text).replace("e.param = ?", "e.param + 0 = ?") for turn in turns]
    end = apart(scope.dialect)
    for n, turn in reversed(list(enumerate(turns))):
        none = [_none_before(scope, table, columns, Sql(beside[n], turn.params), "<")]
        for before in range(n):
            text = f"NOT EXISTS (SELECT 1 FROM {table} e WHERE e.rid = {{rid}} AND {beside[before]}{end})"
            none.append(Sql(text, turns[before].params))
        base = where(f"FROM {table} d WHERE {_NAME.sub('d', turn.text)}", turn.params, [*none, *checks])
        keys = (Sql(str(n)), *(Sql(f"d.{column}") for column in columns), Sql("d.rid"))
        plan = Plan(base, keys, (False,) * len(keys), distinct=True, rest=plan)
    assert plan is not None
    return plan


def by_sort(scope: Scope, branch: Branch, checks: Sequence[Sql], *, alone: bool) -> Plan:
    """Everything of the type in the order of an index on the first sort key; those without a value come last.

    `alone` lets equal values come in the order of that index; else the other keys and the row id order them.
    """
    sort = branch.sorts[0]
    if sort.code in ("_id", "_lastUpdated"):
        first = Sql("d.id" if sort.code == "_id" else "d.updated")
        return Plan(where(_of_type(branch), (), checks), *_sorted_keys(scope, branch, (first,)))
    table = TABLES[sort.kind]
    columns = INDEX_ORDER[table] if alone and len(branch.sorts) == 1 else (KEY_COLUMNS[sort.kind],)
    key = param_key(branch.type, sort.code)
    beside = Sql("e.param + 0 = ?", (key,))
    single = table == "idx_date" and is_single_valued(branch.type, sort.code)
    first_row = [] if single else [_none_before(scope, table, columns, beside, ">" if sort.descending else "<")]
    valued = where(f"FROM {table} d WHERE d.param = ?", (key,), [*first_row, *checks])
    end = apart(scope.dialect)
    lacking = Sql(f"NOT EXISTS (SELECT 1 FROM {table} e WHERE e.rid = {{rid}} AND {beside.text}{end})", beside.params)
    without = where(_of_type(branch), (), [lacking, *checks])
    nothings = (Sql(nothing(sort)), *(Sql("0") for _ in columns[1:]))
    rest = Plan(without, *_sorted_keys(scope, branch, nothings))
    keys = _sorted_keys(scope, branch, tuple(Sql(f"d.{column}") for column in columns))
    return Plan(valued, *keys, distinct=not single, rest=rest)


def _none_before(scope: Scope, table: str, columns: Sequence[str], beside: Sql, sign: str) -> Sql:
    """That no other row of the same resource comes before the row `d`."""
    before = f"({', '.join(f'e.{c}' for c in columns)}) {sign} ({', '.join(f'd.{c}' for c in columns)})"
    where = f"e.rid = {{rid}} AND {beside.text} AND {before}{apart(scope.dialect)}"
    return Sql(f"NOT EXISTS (SELECT 1 FROM {table} e WHERE {where})", beside.params)


def _sorted_keys(scope: Scope, branch: Branch, first: tuple[Sql, ...] = ()) -> tuple[tuple[Sql, ...], tuple[bool, ...]]:
    """The sort keys of a row `d`, the row id behind them, and which descend; `first` stands for the first key."""
    sorts = branch.sorts
    start = first or (sort_key(branch.type, sorts[0], "d.rid", scope.reach),)
    more = [sort_key(branch.type, sort, "d.rid", scope.reach) for sort in sorts[1:]]
    downs = [*[sorts[0].descending] * len(start), *(sort.descending for sort in sorts[1:])]
    return (*start, *more, Sql("d.rid")), (*downs, downs[-1])


def where(start: str, params: tuple[Any, ...], checks: Sequence[Sql]) -> Sql:
    """The start of a statement about rows `d`, with the checks of each added."""
    texts = [about(part, "d.rid") for part in checks]
    return Sql(" AND ".join([start, *texts]), (*params, *(value for part in checks for value in part.params)))


def count_sql(branch: Branch, parts: Sequence[Part], seen: Sequence[Sql]) -> Sql:
    """A SELECT of the row ids of all matches, each once."""
    leading = min((part for part in parts if part.rids is not None), key=lambda part: part.rank, default=None)
    checks = [*(part.check for part in parts if part is not leading), *seen]
    if leading is None or leading.rids is None:
        base = where(_of_type(branch), (), checks)
        return Sql(f"SELECT d.rid {base.text}", base.params)
    base = where(f"FROM ({leading.rids.text}) d WHERE 1 = 1", leading.rids.params, checks)
    return Sql(f"SELECT DISTINCT d.rid {base.text}", base.params)
