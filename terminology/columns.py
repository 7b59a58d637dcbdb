"""Validate whole columns of codes: Polars, Arrow, or any sequence (https://docs.pola.rs/user-guide/expressions/).

Each edition becomes one table of its codes, made when it is first asked for, and a column is joined to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from fhir_profiles.errors import Category, FhirError
from terminology.core import core
from terminology.editions import choose, in_force
from terminology.model import Edition, Validation
from terminology.shapes import misshapen
from terminology.spellings import FORMS

if TYPE_CHECKING:
    from terminology.store.file import EditionFile
    from terminology.terminology import Terminology

MOST_DISTINCT = 100_000
"""Different codes of a system without a file of its own, which are asked about one by one."""

COLUMNS: Mapping[str, Any] = {
    "code": pl.String,
    "version": pl.String,
    "valid": pl.Boolean,
    "billable": pl.Boolean,
    "active": pl.Boolean,
    "reason": pl.String,
}
"""What `validate_many` gives, and `display` where it is asked for."""

_tables: dict[str, pl.DataFrame] = {}
_CODES = """SELECT code, display, billable, active, start, "end" FROM concept WHERE NOT heading ORDER BY id"""
_SCHEMA = dict.fromkeys(("code", "display"), pl.String) | dict.fromkeys(("billable", "active"), pl.Int8)
_SCHEMA |= dict.fromkeys(("start", "end"), pl.String)


def validate_many(
    terminology: Terminology,
    system: str,
    codes: Any,
    dates: Any = None,
    version: str | None = None,
    *,
    display: bool = False,
) -> pl.DataFrame:
    """Whether each of many codes may be used: one row for each, in their order, with the columns of `COLUMNS`.

    `codes` and `dates` are Polars or Arrow columns (whatever offers `__arrow_c_stream__` or `__arrow_c_array__`) or
    sequences; one date or ISO date counts for all. Each row is answered by the edition of its day of service, without
    one by the newest. `valid` is null where the code is missing or the loaded part of the system cannot tell; `reason`
    is null where there is nothing to say, else unknown, not-checked, retired, not-yet, heading (exists, but is not
    billable) or other-edition (no edition of that day is loaded, the nearest answered).
    """
    uri = terminology.system(system)
    given = _series("code", codes, pl.String)
    editions = terminology.editions(uri)
    if not editions:
        return _asked(terminology, uri, given, version, display)
    if version is not None and choose(editions, None, version) is None:
        text = f"That version is not loaded; loaded: {', '.join(e.version for e in editions)}"
        raise FhirError.of(Category.NOT_FOUND, "not-found", text)
    rows = pl.DataFrame([given]).with_columns(day=_days(dates, len(given)))
    days = _governing(rows["day"].unique() if len(rows) else pl.Series([None], dtype=pl.Date), editions, version)
    if len(days["edition"].unique()) == 1:  # one edition answers for all: no need to part and to join the rows
        found = _judged(rows, terminology, editions[days["edition"][0]], days)
    else:
        parted = rows.with_row_index("row").join(days, on="day", how="left", nulls_equal=True)
        parts = parted.partition_by("edition", as_dict=True).items()
        judged = [_judged(part, terminology, editions[int(key[0])], days) for key, part in parts]
        found = pl.concat(judged).sort("row")
    return found.select(*COLUMNS, *(("display",) if display else ()))


def _series(name: str, values: Any, type_: Any) -> pl.Series:
    """A column of whatever holds values, without a copy where it is Arrow."""
    if isinstance(values, str):
        raise TypeError("validate_many takes a column of codes; for one code there is validate")
    arrow = (
        isinstance(values, pl.Series) or hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")
    )
    found = pl.Series(values) if arrow else pl.Series(name, list(values), dtype=None if type_ == pl.Date else type_)
    if found.dtype == type_:
        return found.alias(name)
    if type_ != pl.Date or found.dtype != pl.String:
        return found.cast(type_).alias(name)
    days = found.str.to_date("%Y-%m-%d", strict=False)
    if days.null_count() != found.null_count():
        raise ValueError("days of service are written YYYY-MM-DD")
    return days.alias(name)


def _days(dates: Any, count: int) -> pl.Series | pl.Expr:
    if dates is None:
        return pl.lit(None, pl.Date)
    if isinstance(dates, date | str):
        return pl.lit(dates if isinstance(dates, date) else date.fromisoformat(dates), pl.Date)
    found = _series("day", dates, pl.Date)
    if len(found) != count:
        raise ValueError(f"there are {count} codes and {len(found)} dates")
    return found


def _governing(days: pl.Series, editions: tuple[Edition, ...], version: str | None) -> pl.DataFrame:
    """For each day the index of the edition that answers, and whether it governs that day."""
    asked = days.to_list()
    chosen = [choose(editions, day, version) for day in asked]
    found = [editions.index(edition) for edition in chosen if edition is not None]
    governs = [in_force(edition, day) for edition, day in zip(chosen, asked, strict=True) if edition is not None]
    return pl.DataFrame({"day": days, "edition": pl.Series(found, dtype=pl.UInt8), "governs": governs})


def _judged(rows: pl.DataFrame, terminology: Terminology, edition: Edition, days: pl.DataFrame) -> pl.DataFrame:
    """The rows that one edition answers, with what it says of them."""
    file = terminology.file(edition.system, edition.version)
    assert file is not None
    if "governs" not in rows.columns:
        rows = rows.with_columns(governs=pl.lit(True)) if days["governs"].all() else rows.join(days, "day", "left")
    keyed = rows.with_columns(key=_key(file, rows["code"]))
    joined = keyed.join(_table(file), on="key", how="left", maintain_order="left")
    told = joined.with_columns(version=pl.lit(edition.version), **_answers(joined, edition))
    return told.select(*(name for name in ("row",) if name in rows.columns), *COLUMNS, "display")


def _key(file: EditionFile, codes: pl.Series) -> pl.Series:
    """The codes as the edition writes them, where case or spelling does not count."""
    if file.edition.system in FORMS:
        distinct = codes.drop_nulls().unique()
        held = [concept.code if (concept := file.concept(code)) else code for code in distinct]
        codes = codes.replace_strict(distinct, held, return_dtype=pl.String) if held else codes
    return codes if file.edition.sensitive else codes.str.to_lowercase()


def _table(file: EditionFile) -> pl.DataFrame:
    """The codes of an edition, kept from the first time."""
    found = _tables.get(file.manifest["sha256"])
    if found is None:
        table = pl.DataFrame(file.db.execute(_CODES).fetchall(), schema=_SCHEMA, orient="row")
        found = table.select(
            "display",
            pl.col("billable", "active").cast(pl.Boolean),
            pl.col("start", "end").str.to_date(),
            key=table["code"] if file.edition.sensitive else table["code"].str.to_lowercase(),
        )
        if found["start"].is_null().all() and found["end"].is_null().all():
            found = found.drop("start", "end")
        _tables[file.manifest["sha256"]] = found
    return found


def _answers(rows: pl.DataFrame, edition: Edition) -> dict[str, pl.Expr]:
    """`valid` and `reason` of rows to which the table of their edition is joined."""
    known, missing = pl.col("active").is_not_null(), pl.col("code").is_null()
    retired = not_yet = pl.lit(False)
    if "end" in rows.columns:
        # without a day of service a code must not have ended when its edition began
        day = pl.col("day").fill_null(edition.start or date.max)
        retired = (pl.col("end") < day).fill_null(False)
        not_yet = (pl.col("day") < pl.col("start")).fill_null(False)
    refused = pl.lit(True)
    if edition.content != "complete":
        unknown = rows.filter(~known & ~missing)["code"].unique()
        refused = pl.col("code").is_in([code for code in unknown if misshapen(edition.system, code)])
    valid = pl.when(known).then(~(retired | not_yet)).when(missing | ~refused).then(None).otherwise(False)
    reason = (
        pl.when(missing).then(None)
        .when(~known).then(pl.when(refused).then(pl.lit("unknown")).otherwise(pl.lit("not-checked")))
        .when(retired).then(pl.lit("retired"))
        .when(not_yet).then(pl.lit("not-yet"))
        .when(pl.col("billable").eq_missing(False)).then(pl.lit("heading"))
        .when(~pl.col("governs")).then(pl.lit("other-edition"))
    )  # fmt: skip
    return {"valid": valid, "reason": reason}


def _asked(terminology: Terminology, system: str, codes: pl.Series, version: str | None, display: bool) -> pl.DataFrame:
    """Systems by rules and published ones: each different code is asked about once."""
    distinct = codes.drop_nulls().unique()
    if len(distinct) > MOST_DISTINCT:
        text = f"A column of this system may hold {MOST_DISTINCT} different codes at most"
        raise FhirError.of(Category.INCORRECT, "too-costly", text)
    answers = [terminology.validate_code(system, code, version=version) for code in distinct]
    if lost := next((answer for answer in answers if answer.issue == "not-found"), None):
        raise FhirError.of(Category.NOT_FOUND, "not-found", str(lost.message))
    told = pl.DataFrame(
        [(code, a.version, *_told(a), a.display) for code, a in zip(distinct, answers, strict=True)],
        schema={**COLUMNS, "display": pl.String},
        orient="row",
    )
    found = pl.DataFrame([codes]).join(told, on="code", how="left", maintain_order="left")
    return found.select(*COLUMNS, *(("display",) if display else ()))


def _told(answer: Validation) -> tuple[bool | None, bool | None, bool | None, str | None]:
    """`valid`, `billable`, `active` and `reason` of one answer of `validate_code`."""
    if answer.issue == "code-invalid":
        return None if answer.result else False, None, None, "not-checked" if answer.result else "unknown"
    listed = core().code_system(answer.system)
    position = listed.position(answer.code) if listed else None
    inactive = listed is not None and position is not None and listed.inactive(position)
    return answer.result, answer.billable, not inactive, None
