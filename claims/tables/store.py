"""Tables on disk: one folder for each release, written whole or not at all, and opened as what holds on each day."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
import polars as pl

from claims.sheet.values import EPOCH
from claims.tables.kept import LARGE, kept
from claims.tables.schema import TABLES, TableDef
from claims.tables.table import Table
from fhir_profiles.errors import Category, FhirError

LAYOUT = 1
TYPES = {
    "text": pl.String, "whole": pl.Int64, "number": pl.Float64, "flag": pl.Boolean, "day": pl.Int64, "cents": pl.Int64
}  # fmt: skip


class Release(msgspec.Struct, frozen=True):
    """What one official file holds. `start` and `end` are the days of service that it governs, None where open.

    Of a `whole` table the newest release alone counts: its rows have dates of their own, back to the first. Files that
    together make a table, one for each setting, say their `part`: a release takes the place of those of its part.
    """

    table: str
    name: str
    start: date | None
    end: date | None
    source: str
    licence: str
    fingerprint: str
    whole: bool = False
    rows: int = 0
    layout: int = LAYOUT
    part: str = ""
    withdrawn: bool = False
    """A published list contradicted it: it is on disk, and nothing asks it."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """A release to write. `frame` gives the columns of the table's keys and values, and `start`, `end` (days) of rows.

    It raises FhirError with file, line and column where the file is damaged; then nothing is written.
    """

    release: Release
    frame: Callable[[], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A release that was read and checked, and is not written yet."""

    dir: Path
    release: Release
    rows: pl.DataFrame

    def write(self) -> None:
        """Write it, whole or not at all."""
        release = self.release
        target = _folder(self.dir, release)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{release.table}-"))
        try:
            self.rows.write_ipc(temporary / "rows.arrow")
            (temporary / "manifest.json").write_bytes(msgspec.json.encode(release))
            for path in temporary.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            temporary.chmod(0o755)
            if target.exists():
                old = temporary.with_suffix(".old")
                target.rename(old)
                temporary.rename(target)
                shutil.rmtree(old)
            else:
                temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def prepare(dir: Path | str, source: TableSource) -> Prepared | None:
    """Read and check a release; None where it is there already. FhirError when its rows contradict each other."""
    release = source.release
    definition = TABLES[release.table]
    known = _manifest(_folder(Path(dir), release))
    if (
        known is not None
        and known.fingerprint == release.fingerprint
        and known.layout == LAYOUT
        and not known.withdrawn
    ):
        return None
    frame = shaped(source.frame(), definition).sort([*definition.keys, "start"])  # as a table wants them
    Table.of(definition, frame, release.name)
    return Prepared(Path(dir), msgspec.structs.replace(release, rows=len(frame)), frame)


def withdraw(dir: Path | str, release: Release) -> None:
    """Let a release answer nothing until it is loaded again."""
    target = _folder(Path(dir), release) / "manifest.json"
    said = target.with_name(".manifest")
    said.write_bytes(msgspec.json.encode(msgspec.structs.replace(release, withdrawn=True)))
    said.replace(target)


def read_rows(dir: Path | str, release: Release) -> pl.DataFrame:
    """The rows of a release as they were loaded."""
    return _rows(Path(dir), release)


def save(dir: Path | str, source: TableSource) -> bool:
    """Write a release unless it is there already; whether it was written."""
    prepared = prepare(dir, source)
    if prepared is not None:
        prepared.write()
    return prepared is not None


def shaped(frame: pl.DataFrame, definition: TableDef) -> pl.DataFrame:
    """The columns of the definition in its order and types, absent values as null, and `start` and `end`."""
    kinds = {**definition.keys, **definition.values, "start": "day", "end": "day"}
    return frame.select(
        pl.col(name).cast(TYPES[kind]) if name in frame.columns else pl.lit(None, TYPES[kind]).alias(name)
        for name, kind in kinds.items()
    )


def releases(dir: Path | str) -> list[Release]:
    """Everything that is loaded, oldest first."""
    folders = sorted((Path(dir) / "claims").glob("[a-z]*@*"))
    found = [release for folder in folders if (release := _manifest(folder)) is not None and release.layout == LAYOUT]
    return sorted(found, key=lambda r: (r.table, r.start or date.min, r.name))


def open_tables(dir: Path | str, names: Iterable[str] | None = None) -> dict[str, Table]:
    """The loaded tables by name: each day answered by the release that governs it."""
    wanted = None if names is None else set(names)
    grouped: defaultdict[str, list[Release]] = defaultdict(list)
    for release in releases(dir):
        if not release.withdrawn and (wanted is None or release.table in wanted):
            grouped[release.table].append(release)
    return {name: _opened(Path(dir), name, found) for name, found in grouped.items()}


def _opened(dir: Path, name: str, found: Sequence[Release]) -> Table:
    if sum(release.rows for release in found) < LARGE:
        return _joined(dir, name, found)
    return kept(dir, name, [msgspec.to_builtins(release) for release in found], lambda: _joined(dir, name, found))


def _joined(dir: Path, name: str, found: Sequence[Release]) -> Table:
    parts: defaultdict[str, list[Release]] = defaultdict(list)
    for release in found:
        parts[release.part].append(release)
    frames, used = [], []
    for listed in parts.values():
        governing = listed[-1:] if listed[-1].whole else listed
        for release, after in zip(governing, [*governing[1:], None], strict=True):
            frames.append(_within(_with_setting(_rows(dir, release), name), release, after))
            used.append(release.name)
    return Table.of(TABLES[name], pl.concat(frames), "+".join(used))


def _with_setting(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """With a row of each setting alone, by which a rule can ask whether its edits are loaded."""
    if "setting" not in TABLES[name].keys:
        return rows
    others = [key for key in TABLES[name].keys if key != "setting"]
    known = rows.filter(pl.col(others[0]) == "").select("setting")
    said = rows.select("setting").unique().join(known, on="setting", how="anti").sort("setting")
    alone = said.with_columns(pl.lit("").alias(key) for key in others)
    return pl.concat([shaped(alone, TABLES[name]), rows])  # in order, as a table wants them


def _rows(dir: Path, release: Release) -> pl.DataFrame:
    return pl.read_ipc(_folder(dir, release) / "rows.arrow")


def _folder(dir: Path, release: Release) -> Path:
    return dir / "claims" / f"{release.table}@{release.name}"


def _within(rows: pl.DataFrame, release: Release, after: Release | None) -> pl.DataFrame:
    """The rows held to the days that a release governs, which end where the next begins."""
    first = _days(release.start)
    ends = [d for d in (_days(release.end), None if after is None else _before(after)) if d is not None]
    last = min(ends) if ends else None
    start, end = pl.col("start"), pl.col("end")
    if first is not None:
        start = pl.max_horizontal(start, pl.lit(first))
    if last is not None:
        end = pl.min_horizontal(end, pl.lit(last))
    cut = rows.with_columns(start.alias("start"), end.alias("end"))
    return cut.filter(pl.col("start").fill_null(0) <= pl.col("end").fill_null(2**40))


def _before(after: Release) -> int | None:
    start = _days(after.start)
    return None if start is None else start - 1


def _days(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - EPOCH


def _manifest(folder: Path) -> Release | None:
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Release)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        text = f"{folder.name} cannot be read: remove it and load it again"
        raise FhirError.of(Category.UNAVAILABLE, "exception", text) from error
