"""What `_sort` orders by, for one row id: a value from the index rows (https://hl7.org/fhir/R4/search.html#sort).

The least value when ascending, the greatest when descending. A resource without a value comes last in either direction,
so that a page need not look for what is not there before it shows what is.
"""

from __future__ import annotations

from fhir_profiles.dates import OPEN_HIGH
from server.store.keys import param_key

from .conditions import TABLES
from .query import Sort
from .reach import Reach
from .rows import NO_DATE
from .sql import Sql
from .tree import live

KEY_COLUMNS = {
    "token": "code",
    "string": "value",
    "date": "lo",
    "reference": "target",
    "uri": "value",
    "number": "lo",
    "quantity": "lo",
}
LATEST = OPEN_HIGH + 1
"""After every date."""

_LAST_TEXT = "'\U0010ffff\U0010ffff'"


def nothing(sort: Sort) -> str:
    """What stands for no value: after all values in the direction of the sort."""
    if sort.kind in ("number", "quantity"):
        return "-1e308" if sort.descending else "1e308"
    if sort.kind == "date":
        return str(NO_DATE if sort.descending else LATEST)
    return "''" if sort.descending else _LAST_TEXT


def sort_key(resource_type: str, sort: Sort, rid: str, reach: Reach) -> Sql:
    """The expression by which `_sort` orders the resource with this row id."""
    if sort.via is not None and sort.target is not None:
        return _chained(resource_type, sort, rid, reach)
    if sort.code in ("_id", "_lastUpdated"):
        column = "id" if sort.code == "_id" else "updated"
        return Sql(f"(SELECT i.{column} FROM resource i WHERE i.rid = {rid})")
    pick = "max" if sort.descending else "min"
    inner = f"SELECT {pick}(s.{KEY_COLUMNS[sort.kind]}) FROM {TABLES[sort.kind]} s WHERE s.rid = {rid}"
    return Sql(f"coalesce(({inner} AND s.param + 0 = ?), {nothing(sort)})", (param_key(resource_type, sort.code),))


def _chained(resource_type: str, sort: Sort, rid: str, reach: Reach) -> Sql:
    """The least or greatest key of what the reference points to, as far as the caller may see it."""
    assert sort.via is not None
    assert sort.target is not None
    prefix = f"{sort.target}/"
    plain = Sort(sort.code, sort.kind, sort.descending)
    inner = sort_key(sort.target, plain, "o.rid", reach)
    there = live(sort.target, "o", reach)
    pick = "max" if sort.descending else "min"
    return Sql(
        f"coalesce((SELECT {pick}({inner.text}) FROM idx_reference x JOIN resource o"
        f" ON o.id = substr(x.target, {len(prefix) + 1}) WHERE x.rid = {rid} AND x.param + 0 = ?"
        f" AND x.target >= ? AND x.target < ? AND {there.text}), {nothing(sort)})",
        (*inner.params, param_key(resource_type, sort.via), prefix, f"{sort.target}0", *there.params),
    )
