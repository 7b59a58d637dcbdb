"""Load ICD-10-CM: tabular XML, order file, code list, Alphabetic Index, tables of neoplasms and drugs.

One edition, in a folder, an archive or as single files; an index alone is joined to the edition of its year that the
installation carries. https://www.cdc.gov/nchs/icd/icd-10-cm/files.html
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from functools import partial

from lxml import etree

from fhir_profiles.systems import ICD10CM
from terminology.icd10.builtin import LICENCE, READER, tabular_sources
from terminology.icd10.codes import VERSION, dates
from terminology.icd10.index import ROOT as INDEX_ROOT
from terminology.icd10.index import Entry, names_of, read_entries
from terminology.icd10.named import Concepts, with_names
from terminology.icd10.properties import SEVENTH
from terminology.icd10.tabular import ROOT, Tabular
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.icd10cm_order import Line, read_codes, read_order
from terminology.importers.xml import parse, refuse_at, text_of
from terminology.source import Source, SourceConcept

TABULAR = r"icd10c?m?[-_]tabular(?!.*addend).*\.xml"
ORDER = r"icd10cm[-_]order(?!.*addend).*\.txt"
CODES = r"icd10cm[-_]codes(?!.*addend).*\.txt"
INDEXES = tuple(rf"icd10cm[-_]{name}(?!.*addend).*\.xml" for name in ("index", "eindex", "neoplasm", "drug"))


@dataclasses.dataclass(frozen=True, slots=True)
class _Files:
    tabular: Member | None
    order: Member | None
    codes: Member | None
    indexes: tuple[Member, ...]

    @property
    def all(self) -> tuple[Member, ...]:
        return tuple(m for m in (self.tabular, self.order, self.codes, *self.indexes) if m is not None)


def read(given: Given) -> list[Source]:
    """The edition in what was given; FhirError with file, line and column where a file is damaged."""
    files = _files(given)
    roots = {m.name: parse(m, INDEX_ROOT) for m in files.indexes}
    version = _version(files, given, roots)
    entries = [entry for m in files.indexes for entry in read_entries(m, roots[m.name])]
    if files.tabular is None and files.order is None:
        if files.codes is not None:
            refuse(files.codes, 0, 0, "a code list has no headers: give the order file or the tabular XML with it")
        return [_joined(version, files, entries)]
    start, end = dates(version)
    source = Source(
        name="icd10cm",
        system=ICD10CM,
        version=version,
        title="ICD-10-CM",
        start=given.start or start,
        end=given.end or end,
        content="complete",
        origin=f"CDC/NCHS and CMS: {', '.join(m.short for m in files.all)}",
        licence=LICENCE,
        fingerprint=_hash(files.all, version),
        concepts=with_names(_concepts(files), names_of(entries)),
        properties=(SEVENTH,) if files.tabular else (),
        files=tuple((m.short, m.sha256()) for m in files.all),
    )
    return [source]


def _files(given: Given) -> _Files:
    found = _Files(
        given.find(TABULAR), given.find(ORDER), given.find(CODES), tuple(m for p in INDEXES if (m := given.find(p)))
    )
    if found.all:
        return found
    if len(given.members) != 1:
        raise refusal("No file of ICD-10-CM is among them: icd10cm_tabular_YYYY.xml, icd10cm_order_YYYY.txt …")
    (member,) = given.members  # under any name: what it holds tells what it is
    with member.open() as file:
        head = file.read(2000)
    if b"<" + INDEX_ROOT.encode() in head:
        return _Files(None, None, None, (member,))
    if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<"):
        return _Files(member, None, None, ())
    return _Files(None, member, None, ())


def _version(files: _Files, given: Given, roots: Mapping[str, etree._Element]) -> str:
    """`2027`, or `2027-04` for an April update; all files must be of one fiscal year."""
    years: dict[str, str] = {}
    for member in files.all:
        stated = text_of(roots[member.name], "version") if member.name in roots else ""
        year = stated[:4] or next((m for m in _years(member.short)), "")
        if year and not VERSION.fullmatch(year):
            refuse(member, 0, 0, "the version in the file is no fiscal year")
        if year:
            years[year] = member.short
    if files.tabular is not None and (stated := _stated(files.tabular)):
        years[stated] = files.tabular.short
    if len(years) > 1:
        raise refusal(f"The files are of several fiscal years: {', '.join(sorted(years))}")
    said = given.version
    if said is not None and (not VERSION.fullmatch(said) or (years and said[:4] not in years)):
        raise refusal("The version that was said is not that of the files: say 2027, or 2027-04 for an April update")
    if said is None and not years:
        raise refusal("No file tells its fiscal year: give --version, for example 2027 or 2027-04")
    april = any("apr" in member.short.lower() for member in files.all)
    return said or f"{next(iter(years))}{'-04' if april else ''}"


def _years(name: str) -> Iterator[str]:
    digits = "".join(c if c.isdecimal() else " " for c in name).split()
    return (d for d in digits if len(d) == 4 and d.startswith("20"))


def _stated(tabular: Member) -> str:
    """The year in the head of a tabular XML, which is parsed later."""
    with tabular.open() as file:
        head = file.read(4000)
    found = head.partition(b"<version>")[2].partition(b"</version>")[0].strip()
    return found.decode("ascii", "replace")[:4]


def _joined(version: str, files: _Files, entries: list[Entry]) -> Source:
    """An edition of the installation with the names of an index."""
    base = next((s for s in tabular_sources() if s.version[:4] == version[:4]), None)
    if base is None:
        raise refusal(f"No tabular list of fiscal year {version[:4]} is at hand: give it together with the index")
    return dataclasses.replace(
        base,
        origin=f"{base.origin}; with {', '.join(m.short for m in files.indexes)}",
        fingerprint=hashlib.sha256(f"{base.fingerprint}{_hash(files.all, base.version)}".encode()).hexdigest(),
        concepts=with_names(base.concepts, names_of(entries)),
        files=(*base.files, *((m.short, m.sha256()) for m in files.indexes)),
    )


def _concepts(files: _Files) -> Concepts:
    order = files.order
    if files.tabular is None:
        assert order is not None
        lines = read_order(order)
        return lambda: (line.concept for line in lines)
    listed = read_order(order) if order else read_codes(files.codes) if files.codes else []
    return partial(_tabular, files.tabular, order or files.codes, {line.bare: line for line in listed})


def _tabular(tabular: Member, list_: Member | None, lines: Mapping[str, Line]) -> Iterator[SourceConcept]:
    """The concepts of the XML, held against the official list where there is one."""
    root = parse(tabular, ROOT)
    official = {bare: line.concept.display for bare, line in lines.items() if line.concept.billable}
    seen: set[str] = set()
    for concept in Tabular(tabular, root, official).concepts():
        bare = concept.code.replace(".", "")
        if lines and concept.billable and bare not in official:
            refuse_at(tabular, root, f"{concept.code} is billable here and not in {list_.short if list_ else ''}")
        if concept.billable:
            seen.add(bare)
        yield concept
    missing = next((line for bare, line in lines.items() if line.concept.billable and bare not in seen), None)
    if missing is not None and list_ is not None:
        refuse(list_, missing.number, 7 if list_.short.lower().find("order") >= 0 else 1,
               f"{missing.concept.code} is not among the billable codes of the tabular list")  # fmt: skip


def _hash(members: tuple[Member, ...], version: str) -> str:
    return hashlib.sha256("\n".join((READER, version, *(m.sha256() for m in members))).encode()).hexdigest()
