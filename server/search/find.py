"""Run a search: a page of matches, what they include, and the total where it is wanted."""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_profiles.errors import Problem

from .blinded import blind_of, refuse_order
from .cursor import Place, read_cursor, write_cursor, wrong_cursor
from .custom import codes_of
from .includes import Found, found_of, include
from .plan import Plan, count_sql, page_sql
from .query import Branch, Query
from .reach import Reach, whole
from .sql import Sql
from .stored import stored_types
from .total import count_matches
from .tree import Scope
from .view import View
from .ways import FEW, Parts, choose, make_plan, parts_of


class Page(msgspec.Struct, frozen=True):
    """One page of a search; `cursor` and `previous` are where the pages around it start."""

    matches: list[Found]
    included: list[Found]
    cursor: str | None
    total: int | None
    previous: str | None = None
    problems: tuple[Problem, ...] = ()
    """What the caller must know of this page: that not everything was included."""


class _Row(msgspec.Struct, frozen=True):
    """A match and its place in the order."""

    found: Found
    way: str
    keys: tuple[Any, ...]

    def place(self, *, back: bool) -> Place:
        return Place(back, self.found.type, self.way, self.keys)


def run_search(view: View, query: Query, reach: Reach = whole) -> Page:
    """The page that a query asks for. `reach` says what the caller may see of each type; see there."""
    run = _Run(view, query, reach)
    if query.only_total:
        return Page([], [], None, run.total())
    at = read_cursor(query)
    rows = run.rows(at, query.count + 1)
    back = at is not None and at.back
    more = len(rows) > query.count
    rows = rows[: query.count]
    if back:
        rows.reverse()
    after = write_cursor(query, rows[-1].place(back=False)) if rows and (more or back) else None
    before = write_cursor(query, rows[0].place(back=True)) if rows and (more if back else at is not None) else None
    total: int | None = None
    if query.total != "none":
        total = run.total()
    elif at is None and not more:  # a search that fits one page has told its total anyway
        total = len(rows)
    matches = [row.found for row in rows]
    added, cut = include(view, query, matches, reach) if query.includes and matches else ([], ())
    return Page(matches, added, after, total, before, cut)


def find_ids(view: View, query: Query, *, limit: int, reach: Reach = whole) -> list[str]:
    """The ids of the resources that match, at most `limit`."""
    return [row.found.id for row in _Run(view, query, reach).rows(None, limit)]


class _Run:
    """One search, with what its steps share."""

    def __init__(self, view: View, query: Query, reach: Reach) -> None:
        self.view = view
        self.query = query
        self.scope = Scope(view.dialect, query.base_url, reach, codes_of(view), blind_of(view))
        self.branches = self._present()
        if self.scope.blind is not None:
            for branch in self.branches:
                for sort in branch.sorts:
                    refuse_order(self.scope.blind, branch.type, sort)

    def _present(self) -> list[Branch]:
        """The branches that can find something: a search over many types asks for those only that are stored."""
        branches = list(self.query.branches)
        if len(branches) < 2:
            return branches
        stored = set(stored_types(self.view))
        return [branch for branch in branches if branch.type in stored]

    def total(self) -> int:
        """How many match, in all branches."""
        most = self.query.limits.estimate if self.query.total == "estimate" else None
        total = 0
        for branch in self.branches:
            found = parts_of(self.scope, branch)
            statement = count_sql(branch, found.parts, found.seen)
            total += count_matches(self.view, statement, most, whole=self.scope.reach is whole)
        return total

    def rows(self, at: Place | None, limit: int) -> list[_Row]:
        """The matches after a place, or before it, nearest first."""
        if len(self.branches) > 1 and self.query.branches[0].sorts:
            return self._merged(at, limit)
        return self._in_turn(at, limit)

    def _in_turn(self, at: Place | None, limit: int) -> list[_Row]:
        """One type after the other."""
        names = [branch.type for branch in self.branches]
        if at is not None and at.type not in {branch.type for branch in self.query.branches}:
            raise wrong_cursor()
        back = at is not None and at.back
        rows: list[_Row] = []
        for name, branch in sorted(zip(names, self.branches, strict=True), key=lambda pair: pair[0], reverse=back):
            if at is not None and name != at.type and (name > at.type if back else name < at.type):
                continue
            here = at if at is not None and name == at.type else None
            rows += self._of_branch(branch, here, limit - len(rows), back=back)
            if len(rows) >= limit:
                break
        return rows

    def _merged(self, at: Place | None, limit: int) -> list[_Row]:
        """All types in one order: the first of each, put together."""
        back = at is not None and at.back
        rows: list[_Row] = []
        for branch in self.branches:
            here = None if at is None else msgspec.structs.replace(at, way="")
            rows += self._of_branch(branch, here, limit, back=back, alone=False)
        downs = [sort.descending for sort in self.query.branches[0].sorts]
        for n, down in reversed(list(enumerate([*downs, downs[-1]]))):
            rows.sort(key=lambda row: row.keys[n], reverse=down != back)
        return rows[:limit]

    def _of_branch(self, branch: Branch, at: Place | None, limit: int, *, back: bool, alone: bool = True) -> list[_Row]:
        found = parts_of(self.scope, branch)
        way = at.way if at is not None and at.way else self._choose(found, alone=alone)
        plan: Plan | None = make_plan(self.scope, found, way, alone=alone)
        assert plan is not None
        if at is not None and len(at.keys) != len(plan.keys):
            raise wrong_cursor()
        plan = plan.reversed() if back else plan
        rows: list[_Row] = []
        while plan is not None and len(rows) < limit:
            statement = page_sql(plan, None if at is None else at.keys, limit - len(rows))
            answer = self.view.query(statement.text, statement.params)
            rows += [_Row(found_of(self.view, row), way, tuple(row[5:])) for row in answer]
            plan = plan.rest
        return rows

    def _choose(self, found: Parts, *, alone: bool) -> str:
        way = choose(self.scope, found, self._is_few)
        return "o" if not alone and way[0] == "d" and found.branch.sorts else way

    def _is_few(self, rids: Sql, divisor: int) -> bool:
        most = FEW // divisor
        text = f"SELECT count(*) FROM (SELECT 1 FROM ({rids.text}) f LIMIT {most + 1}) n"
        number: int = self.view.query(text, rids.params)[0][0]
        return number <= most
