"""Run a search: a page of matches, what they include, and the total where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from .cursor import read_cursor, write_cursor
from .includes import Found, include
from .plan import Plan, make_plan, page_sql
from .query import Limits, Query, read_query
from .sql import Sql
from .view import View


class Page(msgspec.Struct, frozen=True):
    """One page of a search."""

    matches: list[Found]
    included: list[Found]
    cursor: str | None
    total: int | None


def run_search(view: View, query: Query, reach: tuple[Sql, ...] = ()) -> Page:
    """The page that a query asks for. `reach` limits what may be seen, before any LIMIT."""
    plan = make_plan(view.dialect, query, reach)
    if query.only_total:
        return Page([], [], None, _total(view, query, plan.count))
    after = read_cursor(query, len(plan.keys))
    rows = _rows(view, plan, after, query.count + 1)
    more = len(rows) > query.count
    rows = rows[: query.count]
    matches = [Found(*row[:4]) for row in rows]
    cursor = write_cursor(query, tuple(rows[-1][4:])) if more else None
    total: int | None = None
    if query.total != "none":
        total = _total(view, query, plan.count)
    elif after is None and not more:  # a search that fits one page has told its total anyway
        total = len(rows)
    included = include(view, query, matches) if query.includes and matches else []
    return Page(matches, included, cursor, total)


def _rows(view: View, plan: Plan, after: tuple[Any, ...] | None, limit: int) -> list[tuple[Any, ...]]:
    statement = page_sql(plan, after, limit)
    rows = view.query(statement.text, statement.params)
    if plan.rest is not None and len(rows) < limit:
        rows += _rows(view, plan.rest, after, limit - len(rows))
    return rows


def _total(view: View, query: Query, count: Sql) -> int:
    if query.total == "estimate":
        limit = query.limits.estimate
        count = Sql(f"{count.text} LIMIT ?", (*count.params, limit))
    number: int = view.query(f"SELECT count(*) FROM ({count.text}) n", count.params)[0][0]
    return number


def find_ids(
    view: View, resource_type: str, pairs: Sequence[tuple[str, str]], *, limit: int, base_url: str = ""
) -> list[str]:
    """The ids of the resources that match, at most `limit`; an unknown parameter is an error."""
    query = read_query(resource_type, pairs, strict=True, limits=Limits(), base_url=base_url)
    return [row[2] for row in _rows(view, make_plan(view.dialect, query), None, limit)]
