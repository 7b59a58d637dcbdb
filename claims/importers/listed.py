"""Read lists of the user's own: CSV under a header with the table's columns (https://www.rfc-editor.org/rfc/rfc4180).

For what only the user knows (payers, authorisations) and for official lists without one stable layout. Columns are the
keys and values of the table in `claims.tables.schema`, and `start` and `end` of a row that does not always hold.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

import msgspec
import polars as pl

from claims.expr.tree import Type
from claims.importers.listed_fields import FIELDS, LIMITS
from claims.importers.reading import Governed, day_number, release, scaled
from claims.importers.registry import COUNTED
from claims.tables.schema import TABLES, TableDef
from claims.tables.store import Release, TableSource
from terminology.importers.given import Given, Member, refuse
from terminology.importers.rows import Row, table

READER = "listed 1"
MINE = "the user's own"
MAX_ROWS = 5_000_000
PERIOD = ("start", "end")
_DAY = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?")
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?")
_WHOLE = re.compile(r"-?\d{1,12}")
_FLAGS = {"": None, "yes": True, "no": False}
_OPEN = 10**9
Frame = Callable[[Member], pl.DataFrame]


def read(name: str, given: Given) -> list[TableSource]:
    """The table of that name, and what is derived from it."""
    member = given.need(rf"{name}.*\.csv", f"The file {name}-YYYY-MM-DD.csv")
    found = _governed(given, member)
    made: dict[str, Frame] = {name: partial(_frame, name), **_DERIVED.get(name, {})}
    return [TableSource(_release(one, member, found, given), partial(frame, member)) for one, frame in made.items()]


def _release(name: str, member: Member, said: Governed, given: Given) -> Release:
    """It holds from its day until the next one comes."""
    return msgspec.structs.replace(release(name, READER, [member], said, MINE), end=given.end)


def _governed(given: Given, member: Member) -> Governed:
    """The first day as the person says it, else as the file name has it."""
    texts = (given.start.isoformat() if given.start else "", given.version or "", member.short)
    found = next((said for text in texts if (said := _DAY.search(text))), None)
    if found is None:
        refuse(member, 0, 0, "the file does not say its day: call it NAME-2026-01-01.csv, or give --from 2026-01-01")
    try:
        first = date(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        refuse(member, 0, 0, "the day of the file is none")
    return Governed(first.isoformat(), first, given.end or first)


def columns_of(name: str) -> tuple[list[str], list[str]]:
    """The columns that a file of the table must have, and those that it may have."""
    definition = TABLES[name]
    return list(definition.keys), [*(v for v in definition.values if v not in COUNTED.get(name, ())), *PERIOD]


def _frame(name: str, member: Member) -> pl.DataFrame:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for values in _rows(name, member):
        for column, value in values.items():
            found[column].append(value)
    if not found:
        refuse(member, 1, 1, "the file has no rows")
    return pl.DataFrame(dict(found), schema_overrides=_kinds(TABLES[name]), infer_schema_length=None)


def _kinds(definition: TableDef) -> dict[str, Any]:
    return {name: pl.String for name, kind in {**definition.keys, **definition.values}.items() if kind == "text"}


def _rows(name: str, member: Member) -> Iterator[dict[str, Any]]:
    definition = TABLES[name]
    keys, others = columns_of(name)
    kinds = {**definition.keys, **definition.values, "start": "day", "end": "day"}
    periods: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for number, row in enumerate(table(member, keys, encoding="utf-8")):
        if number == 0:
            _known(row, {*keys, *others})
        if number >= MAX_ROWS:
            row.refuse(keys[0], f"a list has at most {MAX_ROWS} rows")
        values = {column: _value(name, row, column, kinds[column]) for column in row.values}
        empty = next((key for key in keys if values[key] is None), None)
        if empty is not None:
            row.refuse(empty, "a value is expected")
        _alone(row, keys, values, periods)
        yield values


def _known(row: Row, known: set[str]) -> None:
    for column in row.values:
        if column not in known:
            refuse(row.member, row.number - 1, 0, f"a column is not known; there are {', '.join(sorted(known))}")


def _alone(
    row: Row, keys: list[str], values: Mapping[str, Any], periods: Mapping[tuple[str, ...], list[tuple[int, int]]]
) -> None:
    first, last = values.get("start") or 0, values.get("end") or _OPEN
    if last < first:
        row.refuse("end", "the row ends before it starts")
    known = periods[tuple(values[key] for key in keys)]
    if any(first <= until and since <= last for since, until in known):
        row.refuse(keys[0], "this stands in the file twice for the same day")
    known.append((first, last))


def _value(name: str, row: Row, column: str, kind: Type) -> Any:
    text = row[column]
    if text == "":
        return None
    pattern, expected = FIELDS.get((name, column)) or FIELDS.get(("", column)) or (None, "")
    if pattern is not None and not pattern.fullmatch(text):
        row.refuse(column, expected)
    if kind == "flag":
        if text.lower() not in _FLAGS:
            row.refuse(column, "yes, no or nothing is expected")
        return _FLAGS[text.lower()]
    if kind == "day":
        found = day_number(text.replace("-", "")) if len(text) == 10 else None
        if found is None:
            row.refuse(column, "a day as YYYY-MM-DD is expected")
        return found
    return _number(name, row, column, kind) if kind in ("number", "whole", "cents") else text


def _number(name: str, row: Row, column: str, kind: Type) -> float | int:
    if kind == "cents":
        return scaled(row, column, 2, 10**12)
    text = row[column]
    pattern, expected = (_WHOLE, "a whole number is expected") if kind == "whole" else (_NUMBER, "a number is expected")
    if not pattern.fullmatch(text):
        row.refuse(column, expected)
    least, most = LIMITS.get((name, column), (0, 10**9))
    number = int(text) if kind == "whole" else float(text)
    if not least <= number <= most:
        row.refuse(column, f"a number from {least} to {most} is expected")
    return number


def _covered(member: Member) -> pl.DataFrame:
    """Each code that a policy tells of, once for a payer."""
    rows = {(v["payer"], v["code"]): v.get("policy") for v in _rows("coverage", member)}
    listed = [(payer, code, policy) for (payer, code), policy in rows.items()]
    return pl.DataFrame(listed, schema=dict.fromkeys(("payer", "code", "policy"), pl.String), orient="row")


def _panel(member: Member) -> pl.DataFrame:
    rows = list(_rows("panel", member))
    many = Counter(v["panel"] for v in rows)
    return pl.DataFrame([{**v, "parts": many[v["panel"]]} for v in rows], infer_schema_length=None)


def _panel_part(member: Member) -> pl.DataFrame:
    """The panel of each test, of several the smallest."""
    rows = _panel(member).sort("parts", "panel")
    return rows.unique("code", keep="first", maintain_order=True).select("code", "panel", "parts")


def _revenue_hcpcs(member: Member) -> pl.DataFrame:
    """With a row of each revenue code alone, by which a rule asks whether the list tells of it."""
    rows = _frame("revenue_hcpcs", member)
    alone = rows.select("revenue").unique(maintain_order=True).with_columns(code=pl.lit(""))
    return pl.concat([rows, alone], how="diagonal")


_DERIVED: Mapping[str, Mapping[str, Frame]] = {
    "coverage": {"covered": _covered},
    "panel": {"panel": _panel, "panel_part": _panel_part},
    "revenue_hcpcs": {"revenue_hcpcs": _revenue_hcpcs},
}
"""Table that is loaded → tables that are made of its file, in its place or beside it."""
