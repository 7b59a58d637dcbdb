"""Read the official ICD-10-CM tabular XML (https://www.cdc.gov/nchs/icd/icd-10-cm/files.html).

A leaf under a 7th-character definition is not billable; its extensions are, padded with X to six characters. The
official code list decides last: deaths (6th character 7 or 8 of S06.-) take only A, which the XML does not say.
"""

from __future__ import annotations

import hashlib
import importlib.util
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fhir_profiles.systems import ICD10CM
from terminology.source import Name, Source, SourceConcept

NOTES = {
    "includes": "includes",
    "excludes1": "excludes1",
    "excludes2": "excludes2",
    "codeFirst": "code-first",
    "useAdditionalCode": "use-additional",
    "codeAlso": "code-also",
    "notes": "note",
    "sevenChrNote": "seventh-character",
}
Sevenths = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Release:
    """One official release inside the installed package, with the dates of service it governs."""

    version: str
    tabular: str
    codes: str
    start: date
    end: date


RELEASES = (
    Release(
        "2026-04", "icd10c-tabular-April-1-2026.xml", "code-list-April-2026.txt", date(2026, 4, 1), date(2026, 9, 30)
    ),
)


def package_sources() -> list[Source]:
    """The editions that the installed `simple-icd-10-cm` distribution carries."""
    spec = importlib.util.find_spec("simple_icd_10_cm")
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0]) / "data"
    return [_source(folder, release) for release in RELEASES if (folder / release.tabular).exists()]


def _source(folder: Path, release: Release) -> Source:
    tabular, codes = folder / release.tabular, folder / release.codes
    return Source(
        name="icd10cm",
        system=ICD10CM,
        version=release.version,
        title="ICD-10-CM",
        start=release.start,
        end=release.end,
        content="complete",
        origin=f"CDC/NCHS tabular list {release.tabular}, from the package simple-icd-10-cm",
        licence="US government work; the package is MIT",
        fingerprint=hashlib.sha256(tabular.read_bytes() + codes.read_bytes()).hexdigest(),
        concepts=lambda: read_tabular(tabular.read_bytes(), frozenset(codes.read_text("ascii").split())),
    )


def read_tabular(xml: bytes, official: frozenset[str] = frozenset()) -> Iterator[SourceConcept]:
    """The concepts of a tabular XML in tree order; `official` lists the codes without dots (empty: no check)."""
    for chapter in ET.fromstring(xml).iterfind("chapter"):  # noqa: S314 - a packaged or operator-given official file
        name = f"chapter-{_text(chapter, 'name')}"
        yield SourceConcept(name, _text(chapter, "desc"), (), billable=False, group=True, notes=_notes(chapter))
        for section in chapter.iterfind("section"):
            yield from _section(section, name, official)


def _section(section: ET.Element, parent: str, official: frozenset[str]) -> Iterator[SourceConcept]:
    name = section.get("id", "")
    children = section.findall("diag")
    inner = section.findall("section")
    if not children and not inner:
        return
    if not inner and len(children) == 1 and _text(children[0], "name") == name:  # a block that is one category
        yield from _diag(children[0], parent, (), official)
        return
    yield SourceConcept(name, _text(section, "desc"), (parent,), billable=False, group=True, notes=_notes(section))
    for sub in inner:
        yield from _section(sub, name, official)
    for child in children:
        yield from _diag(child, name, (), official)


def _diag(diag: ET.Element, parent: str, sevenths: Sevenths, official: frozenset[str]) -> Iterator[SourceConcept]:
    code, display = _text(diag, "name"), _text(diag, "desc")
    own = tuple((e.get("char", ""), (e.text or "").strip()) for e in diag.iterfind("sevenChrDef/extension"))
    sevenths = own or sevenths
    children = diag.findall("diag")
    extended = () if children else tuple(_extended(code, display, sevenths, official))
    names = tuple(Name(note.text.strip(), "inclusion") for note in diag.iterfind("inclusionTerm/note") if note.text)
    yield SourceConcept(code, display, (parent,), not children and not extended, names=names, notes=_notes(diag))
    yield from extended
    for child in children:
        yield from _diag(child, code, sevenths, official)


def _extended(code: str, display: str, sevenths: Sevenths, official: frozenset[str]) -> Iterator[SourceConcept]:
    """The 7th-character codes of a leaf, with the placeholder where it is short."""
    bare = code.replace(".", "")
    if not sevenths or len(bare) > 6:
        return
    stem = f"{bare[:3]}.{bare[3:]:X<3}"
    for character, meaning in sevenths:
        full = stem + character
        if official and full.replace(".", "") not in official:
            continue
        yield SourceConcept(full, f"{display}, {meaning}", (code,), billable=True, properties={"seventh": meaning})


def _notes(element: ET.Element) -> tuple[tuple[str, str], ...]:
    return tuple(
        (kind, " ".join(note.text.split()))
        for tag, kind in NOTES.items()
        for note in element.iterfind(f"{tag}/note")
        if note.text
    )


def _text(element: ET.Element, tag: str) -> str:
    return " ".join((element.findtext(tag) or "").split())
