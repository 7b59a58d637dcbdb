"""From a query to one SELECT over the index tables, with keyset paging (https://hl7.org/fhir/R4/search.html#sort).

Without `_sort` the order is the one that an index gives: newest main date first inside one code or reference, else the
order of creation. It never depends on the page, so that paging neither repeats nor skips while others write.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.extract import main_dates
from server.store.keys import param_key, patient_key

from .conditions import TABLES, Rows, driving, element_of, exists, is_single_valued, leading, rows_of, targets_of
from .query import Condition, Query, Sort
from .rows import NO_DATE
from .sql import Sql

COLUMNS = "r.rid, r.type, r.id, r.body"
_KEY_COLUMNS = {"token": "code", "string": "value", "date": "lo", "reference": "target", "uri": "value"}


class Plan(msgspec.Struct, frozen=True):
    """How to run a query: a SELECT of row ids with `keys` columns that order it, up to its ORDER BY.

    `base` ends in a WHERE that more conditions can be added to with AND; `descending` has one flag for each key.
    """

    base: Sql
    keys: tuple[str, ...]
    descending: tuple[bool, ...]
    count: Sql
    distinct: bool = False
    rest: Plan | None = None
    """Where the matches that come after all of these are found, with the same keys."""


def page_sql(plan: Plan, after: tuple[Any, ...] | None, limit: int) -> Sql:
    """The statement for one page: the columns of the resource, then the keys of its place in the order."""
    names = [f"k{n}" for n in range(len(plan.keys))]
    select = ", ".join(f"{key} AS {name}" for key, name in zip(plan.keys, names, strict=True))
    order = [f"{name} DESC" if down else name for name, down in zip(names, plan.descending, strict=True)]
    text, params = plan.base.text, plan.base.params
    inner = f"SELECT {'DISTINCT ' if plan.distinct else ''}{select} {text}"
    if after is not None:
        beyond = _beyond(plan.keys if _is_plain(plan) else tuple(names), plan.descending, after)
        params += beyond.params
        inner = f"{inner} AND {beyond.text}" if _is_plain(plan) else f"SELECT * FROM ({inner}) b WHERE {beyond.text}"
    inner += f" ORDER BY {', '.join(order)} LIMIT {limit:d}"  # as text: a plan for any limit would expect a long page
    outer = ", ".join(f"q.{name}" for name in names)
    last = ", ".join(f"q.{part}" for part in order)
    rid = names[-1]
    return Sql(
        f"SELECT {COLUMNS}, {outer} FROM ({inner}) q JOIN resource r ON r.rid = q.{rid} ORDER BY {last}",
        params,
    )


def _is_plain(plan: Plan) -> bool:
    """Whether the keys are columns, which a WHERE can name and an index can serve."""
    return all("(" not in key for key in plan.keys)


def _beyond(keys: tuple[str, ...], descending: tuple[bool, ...], after: tuple[Any, ...]) -> Sql:
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


def make_plan(dialect: str, query: Query, reach: tuple[Sql, ...] = ()) -> Plan:
    """The plan of a query. `reach` holds more conditions on `{rid}`: what the caller may see at all."""
    parts = _merge([(condition, rows_of(dialect, condition, query.base_url)) for condition in query.conditions])
    positive = [rows for _, rows in parts if not rows.negated]
    driver = min(positive, key=lambda rows: rows.rank) if positive else None
    replaced = driver
    with_patient = _by_patient(query, parts)
    if with_patient is not None and driver is not None and driver.rank > 0:
        driver, replaced = with_patient
    others = [exists(dialect, rows, "{rid}") for _, rows in parts if rows is not replaced]
    others += reach
    if driver is not None and driver.single and (down := _date_order(query)) is not None:
        start = leading(driver)
        base = _where(start.text, start.params, others, "d.rid")
        return Plan(base, ("d.date", "d.rid"), (down, down), _count("d.rid", base), distinct=True)
    if driver is None:
        base = _where("FROM resource r WHERE r.type = ? AND r.change <> 'D'", (query.type,), others, "r.rid")
    else:
        found = driving(driver)
        live = " AND r.change <> 'D'" if driver.table == "resource" else ""
        base = _where(f"FROM resource r WHERE r.rid IN ({found.text}){live}", found.params, others, "r.rid")
        if not query.sorts and not live:
            start = leading(driver)
            rows = _where(start.text, start.params, others, "d.rid")
            return Plan(rows, ("d.rid",), (False,), _count("d.rid", rows), distinct=True)
    count = _count("r.rid", base)
    if driver is None and len(query.sorts) == 1 and (by_date := _by_date(query, others)) is not None:
        return msgspec.structs.replace(by_date, count=count)
    if query.sorts:
        keys = [sort_key(query.type, sort) for sort in query.sorts]
        select = tuple(key.text for key in keys)
        ordered = Sql(base.text, (*(value for key in keys for value in key.params), *base.params))
        downs = tuple(sort.descending for sort in query.sorts)
        return Plan(ordered, (*select, "r.rid"), (*downs, downs[-1]), count)
    if driver is None:
        return Plan(base, ("r.id", "r.rid"), (False, False), count)
    return Plan(base, ("r.rid",), (False,), count)


def _by_date(query: Query, others: list[Sql]) -> Plan | None:
    """Everything of a type in the order of a date that each has once at most: the order of an index."""
    sort = query.sorts[0]
    if sort.kind != "date" or sort.code == "_lastUpdated" or not is_single_valued(query.type, sort.code):
        return None
    key = param_key(query.type, sort.code)
    dated = _where("FROM idx_date d WHERE d.param = ?", (key,), others, "d.rid")
    undated = _where(
        "FROM resource r WHERE r.type = ? AND r.change <> 'D'"
        " AND NOT EXISTS (SELECT 1 FROM idx_date t WHERE t.rid = r.rid AND +t.param = ?)",
        (query.type, key),
        others,
        "r.rid",
    )
    downs = (sort.descending, sort.descending)
    with_date = Plan(dated, ("d.lo", "d.rid"), downs, dated)
    without = Plan(undated, (str(NO_DATE), "r.rid"), downs, undated)
    first, second = (with_date, without) if sort.descending else (without, with_date)
    return msgspec.structs.replace(first, rest=second)


def _where(start: str, params: tuple[Any, ...], others: list[Sql], rid: str) -> Sql:
    checks = [part.text.replace("{rid}", rid) for part in others]
    return Sql(" AND ".join([start, *checks]), (*params, *(value for part in others for value in part.params)))


def _count(rid: str, base: Sql) -> Sql:
    return Sql(f"SELECT DISTINCT {rid} {base.text}", base.params)


def sort_key(resource_type: str, sort: Sort) -> Sql:
    """The expression by which `_sort` orders: the least value when ascending, the greatest when descending.

    A resource without the value comes before all others, last when descending.
    """
    if sort.code == "_id":
        return Sql("r.id")
    if sort.code == "_lastUpdated":
        return Sql("r.updated")
    pick = "max" if sort.descending else "min"
    key = param_key(resource_type, sort.code)
    if sort.kind in ("number", "quantity"):
        column, nothing = "lo", "-1e308"
    else:
        column = _KEY_COLUMNS[sort.kind]
        nothing = str(NO_DATE) if sort.kind == "date" else "''"
    inner = f"SELECT {pick}(s.{column}) FROM {TABLES[sort.kind]} s WHERE s.rid = r.rid AND +s.param = ?"
    return Sql(f"coalesce(({inner}), {nothing})", (key,))


def _date_order(query: Query) -> bool | None:
    """Whether the order by main date is wanted, descending or not; None when another order is."""
    if not query.sorts:
        return True
    if len(query.sorts) == 1 and main_dates(query.type) == (query.sorts[0].code,):
        return query.sorts[0].descending
    return None


def _merge(parts: list[tuple[Condition, Rows]]) -> list[tuple[Condition, Rows]]:
    """Conditions on one date that a resource has once become one: `date=ge…&date=lt…` is one index range."""
    merged: list[tuple[Condition, Rows]] = []
    windows: dict[str, int] = {}
    for condition, rows in parts:
        code = condition.param.code
        mergeable = rows.table == "idx_date" and not rows.negated and condition.modifier is None
        if mergeable and code in windows:
            at = windows[code]
            first = merged[at][1]
            values = rows.where.text.removeprefix("t.param = ? AND ")
            where = Sql(f"{first.where.text} AND {values}", (*first.where.params, *rows.where.params[1:]))
            ends = [end for end in (first.ends_after, rows.ends_after) if end is not None]
            merged[at] = (condition, msgspec.structs.replace(first, where=where, ends_after=max(ends, default=None)))
            continue
        if mergeable and is_single_valued(condition.type, code):
            windows[code] = len(merged)
        merged.append((condition, rows))
    return merged


def _by_patient(query: Query, parts: list[tuple[Condition, Rows]]) -> tuple[Rows, Rows] | None:
    """One code of one patient: the token rows of that patient, and the condition they stand for.

    The patient column of a row is the one of the first compartment parameter; where a resource can have one only, a
    search for it finds all of its rows there.
    """
    patient = next((found for condition, _ in parts if (found := _one_patient(query, condition))), None)
    token = next((rows for _, rows in parts if rows.table == "idx_token" and rows.single and not rows.negated), None)
    if patient is None or token is None:
        return None
    where = Sql(f"t.patient = ? AND {token.where.text}", (patient_key(patient), *token.where.params))
    return msgspec.structs.replace(token, where=where, rank=1), token


def _one_patient(query: Query, condition: Condition) -> str | None:
    """The patient that the condition asks for, when the patient column of rows answers the same question."""
    code = condition.param.code
    if code not in ("patient", "subject") or condition.chain is not None or len(condition.values) != 1:
        return None
    if condition.modifier not in (None, "Patient"):
        return None
    declared = load().compartment("Patient").get(query.type, ())
    first = next((name for name in ("patient", "subject") if name in declared), None)
    if first is None or (element := element_of(query.type, first)) is None or element_of(query.type, code) != element:
        return None
    targets = targets_of(condition, condition.values[0], query.base_url)
    return targets[0].removeprefix("Patient/") if len(targets) == 1 and targets[0].startswith("Patient/") else None
