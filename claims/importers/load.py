"""Read official files and write their tables into a data directory, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from claims.importers.check import check, recheck
from claims.importers.registry import Importer
from claims.importers.shape import counted, unlike
from claims.tables.schema import TABLES
from claims.tables.store import Prepared, TableSource, prepare
from terminology.importers.given import Given, refusal
from terminology.source import Progress

_COUNTED = {"rvu": "status", "ptp": "indicator", "mue": "mai", "addon": "type", "zip": "rural"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """One release after a load; `written` is False when it was there already, and then nothing was counted.

    `totals` are rows by a value that the official page counts too: status, indicator, kind of edit. `counts` are those
    of all indicators of the fee schedule, `warnings` what is far from the shape of its releases.
    """

    name: str
    version: str
    title: str
    written: bool
    rows: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything that was given, read and checked."""

    dir: Path
    found: tuple[tuple[TableSource, Prepared | None], ...]

    def write(self, progress: Progress | None = None) -> list[Loaded]:
        """Write each release, whole or not at all; FhirError where a published list then contradicts the schedule."""
        told = []
        for number, (source, prepared) in enumerate(self.found):
            if progress is not None:
                progress("writing tables", number, len(self.found))
            if prepared is not None:
                prepared.write()
            told.append(_loaded(source, prepared))
        recheck(self.dir, [prepared for _, prepared in self.found if prepared is not None])
        return told


def ready(dir: Path | str, importer: Importer, given: Given, progress: Progress | None = None) -> Ready:
    """Read and check all files; FhirError where one of them is damaged. Nothing is written."""
    sources = list(importer.read(given))
    if not sources:
        raise refusal(f"The files hold nothing of {importer.title}; expected: {importer.files}")
    names = [(source.release.table, source.release.name) for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise refusal(f"{TABLES[twice[0]].title} {twice[1]} stands in the files twice")
    found = []
    for number, source in enumerate(sources):
        if progress is not None:
            progress("reading tables", number, len(sources))
        found.append((source, prepare(dir, source)))
    check(dir, [prepared for _, prepared in found if prepared is not None])
    return Ready(Path(dir), tuple(found))


def load(dir: Path | str, importer: Importer, given: Given, progress: Progress | None = None) -> list[Loaded]:
    """Load everything that the files hold; FhirError, and nothing written, where one of them is damaged."""
    return ready(dir, importer, given, progress).write(progress)


def _loaded(source: TableSource, prepared: Prepared | None) -> Loaded:
    release = source.release
    title = TABLES[release.table].title
    if prepared is None:
        return Loaded(release.table, release.name, title, False)
    rows = prepared.rows
    counts = counted(rows) if release.table == "rvu" else {}
    warnings = tuple(unlike(counts, len(rows))) if counts else ()
    return Loaded(release.table, release.name, title, True, len(rows), _totals(release.table, rows), counts, warnings)


def _totals(table: str, rows: pl.DataFrame) -> dict[str, int]:
    name = _COUNTED.get(table)
    if name is None:
        return {}
    counts = rows[name].drop_nulls().value_counts().sort(name)
    return dict(zip(counts[name].to_list(), counts["count"].to_list(), strict=True))
