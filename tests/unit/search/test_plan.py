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
