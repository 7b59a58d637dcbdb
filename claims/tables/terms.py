"""The tables that are made from the terminology: code lists with what rules ask of a code, by day of service.

Each edition speaks for the days on which the terminology asks it, also where it is only the nearest: a code list that
has run out is still the best there is. What is made is kept beside the loaded tables, under the fingerprints of its
editions.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

import polars as pl

from claims.sheet.values import EPOCH
from claims.tables import terms_icd10, terms_lists
from claims.tables.schema import TABLES
from claims.tables.store import shaped
from claims.tables.table import Table
from fhir_profiles.systems import (
    CPT,
    HCPCS,
    ICD10CM,
    ICD10PCS,
    NDC,
    NUCC,
    PLACE_OF_SERVICE,
    X12_ADJUSTMENT_REASONS,
    X12_REMARKS,
)
from terminology import Terminology
from terminology.editions import choose, speaking
from terminology.model import Edition
from terminology.source import Progress

MADE = 3
"""Raise when a table is made differently."""

_OPEN = 2**40
Make = Callable[[Terminology, str], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Made:
    """How a table is made: out of which system, and whether the loaded editions tell all of its codes."""

    system: str
    make: Make  # of the rows of one edition: keys and values, `start` and `end` of single rows
    speaks: Callable[[Edition], bool] = lambda edition: edition.content == "complete"


def _is_cpt(edition: Edition) -> bool:
    """The fee schedule, which has dates, lists the codes of CPT as the whole list does; our few labels do not."""
    return edition.content == "complete" or edition.start is not None


_HCPCS = (
    Made(HCPCS, partial(terms_lists.procedures, HCPCS)),
    Made(CPT, partial(terms_lists.procedures, CPT), _is_cpt),
)
PARTS: Mapping[str, tuple[Made, ...]] = {
    "hcpcs": _HCPCS,
    "icd10cm": (Made(ICD10CM, terms_icd10.diagnoses),),
    "icd10pcs": (Made(ICD10PCS, terms_lists.billable),),
    "excludes1": (Made(ICD10CM, terms_icd10.excluded),),
    "code_first": (Made(ICD10CM, terms_icd10.code_first),),
    "taxonomy": (Made(NUCC, terms_lists.taxonomy),),
    "carc": (Made(X12_ADJUSTMENT_REASONS, partial(terms_lists.codes, X12_ADJUSTMENT_REASONS)),),
    "rarc": (Made(X12_REMARKS, partial(terms_lists.codes, X12_REMARKS)),),
    "pos": (Made(PLACE_OF_SERVICE, terms_lists.places),),
    "ndc": (Made(NDC, terms_lists.packages),),
}
"""Table → what it is made of; it is there when all of its systems are loaded."""


def tables_of(
    terminology: Terminology, dir: Path | str | None = None, names: Collection[str] | None = None
) -> dict[str, Table]:
    """The tables that the loaded code systems give; with a data directory they are made once and kept there."""
    found = {}
    for name, parts in PARTS.items():
        if names is not None and name not in names:
            continue
        editions = [_speaking(terminology, part) for part in parts]
        if all(editions):
            release = "+".join(f"{e.name} {e.version}" for listed in editions for e in listed)
            rows = _kept(dir, name, editions, partial(_rows, terminology, name, editions))
            found[name] = Table.of(TABLES[name], rows, release)
    return found


def keep(terminology: Terminology, dir: Path | str, progress: Progress | None = None) -> list[str]:
    """Make the tables that are not kept there yet, so that nobody waits for them later; their names.

    Nothing is done where the directory may only be read.
    """
    if not os.access(dir, os.W_OK):
        return []
    listed = {name: [_speaking(terminology, part) for part in parts] for name, parts in PARTS.items()}
    lacking = [name for name, found in listed.items() if all(found) and not _place(dir, name, found).exists()]
    for number, name in enumerate(lacking):
        if progress is not None:
            progress("tables of claims", number, len(lacking))
        _kept(dir, name, listed[name], partial(_rows, terminology, name, listed[name]))
    return lacking


def _speaking(terminology: Terminology, part: Made) -> list[Edition]:
    return [edition for edition in speaking(terminology.editions(part.system)) if part.speaks(edition)]


def _rows(terminology: Terminology, name: str, editions: list[list[Edition]]) -> pl.DataFrame:
    frames = []
    for part, listed in zip(PARTS[name], editions, strict=True):
        made = {e.version: shaped(part.make(terminology, e.version), TABLES[name]) for e in listed}
        telling = [e for e in listed if len(made[e.version])] or listed  # not all editions come with their notes
        frames += [_within(made[edition.version], first, last) for edition, first, last in spans(telling)]
    return _merged(pl.concat(frames))


def spans(editions: list[Edition]) -> Iterator[tuple[Edition, int | None, int | None]]:
    """(edition, first day, last day) for all time, as `terminology.editions.choose` asks them."""
    ends = [day for e in editions for day in (e.start, e.end) if day is not None]
    if len(editions) == 1 or not ends:
        yield editions[-1], None, None
        return
    before, after = min(ends) - timedelta(days=1), max(ends) + timedelta(days=1)
    days = (date.fromordinal(n) for n in range(before.toordinal(), after.toordinal() + 1))
    asked = ((chosen, day) for day in days if (chosen := choose(editions, day, None)) is not None)
    for edition, held in groupby(asked, key=lambda pair: pair[0]):
        listed = [day for _, day in held]
        first, last = listed[0], listed[-1]
        yield edition, None if first == before else _number(first), None if last == after else _number(last)


def _number(day: date) -> int:
    return day.toordinal() - EPOCH


def _within(rows: pl.DataFrame, first: int | None, last: int | None) -> pl.DataFrame:
    start = pl.max_horizontal(pl.col("start").fill_null(0), pl.lit(first or 0, pl.Int64))
    end = pl.min_horizontal(pl.col("end").fill_null(_OPEN), pl.lit(_OPEN if last is None else last, pl.Int64))
    return rows.with_columns(start.alias("start"), end.alias("end")).filter(pl.col("start") <= pl.col("end"))


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that say the same and follow each other as one."""
    said = [name for name in rows.columns if name not in ("start", "end")]
    follows = pl.col("start") == pl.col("end").shift(1).over(said) + 1
    runs = rows.sort([*said, "start"]).with_columns((~follows.fill_null(False)).cum_sum().alias("_run"))
    whole = runs.group_by("_run", maintain_order=True).agg(
        *(pl.col(name).first() for name in said), pl.col("start").first(), pl.col("end").last()
    )
    start, end = pl.col("start"), pl.col("end")
    return whole.drop("_run").with_columns(
        pl.when(start > 0).then(start).alias("start"), pl.when(end < _OPEN).then(end).alias("end")
    )


def _kept(
    dir: Path | str | None, name: str, editions: list[list[Edition]], make: Callable[[], pl.DataFrame]
) -> pl.DataFrame:
    """The rows as they were made before of the same editions, else made now."""
    if dir is None:
        return make()
    path = _place(dir, name, editions)
    with suppress(OSError, pl.exceptions.PolarsError):
        return pl.read_ipc(path)
    rows = make()
    with suppress(OSError):  # a directory that may only be read: made anew the next time
        _write(path, rows)
    return rows


def _place(dir: Path | str, name: str, editions: list[list[Edition]]) -> Path:
    """The file of a table, named by the fingerprints of its editions."""
    said = repr((MADE, TABLES[name], [[(e.version, e.fingerprint) for e in listed] for listed in editions]))
    return Path(dir) / "claims" / "terms" / f"{name}-{hashlib.sha256(said.encode()).hexdigest()[:16]}.arrow"


def _write(path: Path, rows: pl.DataFrame) -> None:
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.stem}-")
    os.close(descriptor)
    try:
        rows.write_ipc(temporary)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    for old in folder.glob(f"{path.stem.rpartition('-')[0]}-*.arrow"):
        if old != path:
            old.unlink(missing_ok=True)
