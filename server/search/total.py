"""How many resources match: exactly, or about how many (https://hl7.org/fhir/R4/search.html#total)."""

from __future__ import annotations

import json
from typing import Any

from .sql import Sql
from .view import View


def count_matches(view: View, rids: Sql, most: int | None, *, whole: bool) -> int:
    """How many row ids the SELECT finds.

    With `most` it is counted up to there only. Beyond, PostgreSQL's planner says about how many there are, unless the
    caller may not see all: what it believes of the table knows no reach.
    """
    if most is None:
        return _number(view, rids)
    number = _number(view, Sql(f"{rids.text} LIMIT {most:d}", rids.params))
    if number < most or not whole or view.dialect == "sqlite":
        return number
    (answer,) = view.query(f"EXPLAIN (FORMAT JSON) {rids.text}", rids.params)[0]
    plan: Any = json.loads(answer) if isinstance(answer, str | bytes) else answer
    return max(number, int(plan[0]["Plan"]["Plan Rows"]))


def _number(view: View, rids: Sql) -> int:
    number: int = view.query(f"SELECT count(*) FROM ({rids.text}) n", rids.params)[0][0]
    return number
