"""The SQL of a search keeps to the rows it needs, whatever the database believes about its tables."""

from __future__ import annotations

import pytest

from server.search.plan import page_sql
from server.search.query import Limits
from server.search.reach import whole
from server.search.reading import read_query
from server.search.tree import Scope
from server.search.ways import choose, make_plan, parts_of


def sql(dialect: str, *pairs: tuple[str, str], few: bool = True) -> str:
    query = read_query("Observation", pairs, strict=True, limits=Limits())
    scope = Scope(dialect, "", whole)
    found = parts_of(scope, query.branches[0])
    way = choose(scope, found, lambda _rids, _divisor: few)
    return page_sql(make_plan(scope, found, way), None, query.count + 1).text


ONE_PATIENT = (("patient", "Patient/p"), ("code", "8867-4"), ("_count", "10"))


@pytest.mark.parametrize(("dialect", "check"), [("sqlite", "+t.param = ?"), ("postgresql", "t.param + 0 = ?")])
def test_a_further_condition_looks_at_the_rows_of_the_resource(dialect: str, check: str) -> None:
    """It never reads all rows of a parameter for each resource, as a planner without statistics would."""
    assert check in sql(dialect, *ONE_PATIENT)


def test_postgresql_makes_no_join_of_a_further_condition() -> None:
    """A join would read everything before the page's first row."""
    assert "OFFSET 0)" in sql("postgresql", *ONE_PATIENT)
    assert "OFFSET 0)" in sql("postgresql", ("code", "8867-4"), ("date", "ge2020"))


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_length_of_the_page_is_told_to_the_planner(dialect: str) -> None:
    """A plan made for any limit expects a tenth of the table."""
    assert "LIMIT 11)" in sql(dialect, *ONE_PATIENT)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_finds_many_is_never_gathered(dialect: str) -> None:
    """Where every condition finds many, the rows come from one index in its order; few are gathered and sorted."""
    both = (("category", "laboratory"), ("status", "final"))
    along, gathered = sql(dialect, *both, few=False), sql(dialect, *both, few=True)
    assert "FROM idx_token d WHERE d.param = ?" in along
    assert "SELECT DISTINCT u.rid" not in along
    assert "SELECT DISTINCT u.rid" in gathered


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_window_on_the_main_date_enters_the_index(dialect: str) -> None:
    """One code within a week is a range of the index of codes, whatever there is outside of that week."""
    text = sql(dialect, ("code", "8867-4"), ("date", "ge2020-01-01"), ("date", "lt2020-01-08"), few=False)
    assert "d.date >= ? AND d.date < ?" in text


def test_a_sort_key_gives_the_order() -> None:
    """Many matches are read in the order of the first sort key, each at its first value."""
    text = sql("sqlite", ("category", "laboratory"), ("_sort", "-value-quantity"), few=False)
    assert "FROM idx_quantity d" in text
    assert "ORDER BY k0 DESC" in text
