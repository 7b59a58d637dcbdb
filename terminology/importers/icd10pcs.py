"""Load ICD-10-PCS: the order file or the list of codes, the tables, which give each code its axes, and the index.

Tables and index alone are joined to the edition of their version that the installation carries.
https://www.cms.gov/medicare/coding-billing/icd-10-codes
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import partial

from fhir_profiles.systems import ICD10PCS
from terminology.icd10.builtin import LICENCE, READER, procedure_sources
from terminology.icd10.codes import VERSION, dates
from terminology.icd10.named import Names, with_names
from terminology.icd10.procedure_index import ROOT as INDEX_ROOT
from terminology.icd10.procedure_index import read_names
from terminology.icd10.properties import PROPERTIES
from terminology.icd10.tables import ROOT, Tables, read_tables
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.icd10cm_order import Line, read_codes, read_order
from terminology.importers.xml import parse, text_of
from terminology.source import Source, SourceConcept

ORDER = r"icd10pcs[-_]order(?!.*addend).*\.txt"
CODES = r"icd10pcs[-_]codes(?!.*addend).*\.txt"
TABLES = r"icd10pcs[-_]tables(?!.*addend).*\.xml"
INDEX = r"icd10pcs[-_]index(?!.*addend).*\.xml"
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")


@dataclasses.dataclass(frozen=True, slots=True)
class _Files:
    order: Member | None
    codes: Member | None
    tables: Member | None
    index: Member | None

    @property
    def all(self) -> tuple[Member, ...]:
        return tuple(m for m in (self.order, self.codes, self.tables, self.index) if m is not None)


def read(given: Given) -> list[Source]:
    """The edition in what was given; FhirError with file, line and column where a file is damaged."""
    files = _files(given)
    root = parse(files.tables, ROOT) if files.tables else None
    stated = text_of(root, "version") if root is not None else ""
    version = _version(files, given, stated)
    tables = read_tables(files.tables, root) if files.tables is not None and root is not None else None
    names = read_names(files.index, parse(files.index, INDEX_ROOT)) if files.index is not None else {}
    listed = files.order or files.codes
    if listed is None:
        return [_joined(version, files, tables, names)]
    lines = read_order(listed, procedures=True) if files.order else read_codes(listed, procedures=True)
    start, end = dates(version)
    source = Source(
        name="icd10pcs",
        system=ICD10PCS,
        version=version,
        title="ICD-10-PCS",
        start=given.start or start,
        end=given.end or end,
        content="complete",
        origin=f"CMS: {', '.join(m.short for m in files.all)}",
        licence=LICENCE,
        fingerprint=_hash(files.all, version),
        concepts=with_names(partial(_concepts, listed, lines, tables), names),
        properties=PROPERTIES if tables else (),
        files=tuple((m.short, m.sha256()) for m in files.all),
    )
    return [source]


def _files(given: Given) -> _Files:
    found = _Files(given.find(ORDER), given.find(CODES), given.find(TABLES), given.find(INDEX))
    if found.all:
        return found
    if len(given.members) != 1:
        raise refusal("No file of ICD-10-PCS is among them: icd10pcs_order_YYYY.txt, icd10pcs_tables_YYYY.xml")
    (member,) = given.members
    with member.open() as file:
        head = file.read(100).lstrip(b"\xef\xbb\xbf \r\n")
    return _Files(None, None, member, None) if head.startswith(b"<") else _Files(member, None, None, None)


def _version(files: _Files, given: Given, stated: str) -> str:
    if stated and not VERSION.fullmatch(stated) and files.tables is not None:
        refuse(files.tables, 0, 0, "the version in the file is no fiscal year")
    years = {m[0] for f in files.all if (m := _YEAR.search(f.short))} | ({stated} if stated else set())
    if len(years) > 1:
        raise refusal(f"The files are of several fiscal years: {', '.join(sorted(years))}")
    said = given.version
    if said is not None and (not VERSION.fullmatch(said) or (years and said[:4] not in years)):
        raise refusal("The version that was said is not that of the files: say 2027, or 2027-04 for an April update")
    if said is None and not years:
        raise refusal("No file tells its fiscal year: give --version, for example 2027 or 2027-04")
    april = any("apr" in member.short.lower() for member in files.all)
    return said or f"{years.pop()}{'-04' if april else ''}"


def _joined(version: str, files: _Files, tables: Tables | None, names: Names) -> Source:
    """An edition of the installation with the axes of its tables and the names of its index."""
    base = next((s for s in procedure_sources() if s.version == version), None)
    if base is None:
        raise refusal(f"No list of the codes of {version} is at hand: give the order file too")
    return dataclasses.replace(
        base,
        origin=f"{base.origin}; with {', '.join(m.short for m in files.all)}",
        fingerprint=hashlib.sha256(f"{base.fingerprint}{_hash(files.all, version)}".encode()).hexdigest(),
        concepts=with_names(partial(_with_axes, base.concepts, tables) if tables else base.concepts, names),
        properties=PROPERTIES if tables else (),
        files=(*base.files, *((m.short, m.sha256()) for m in files.all)),
    )


def _with_axes(concepts: Callable[[], Iterator[SourceConcept]], tables: Tables) -> Iterator[SourceConcept]:
    for concept in concepts():
        if concept.group:
            yield concept
            continue
        axes = tables.axes(concept.code)
        if axes is None:
            raise refusal(f"{concept.code} stands in no table: the tables are of another edition")
        yield dataclasses.replace(concept, properties=axes)


def _concepts(listed: Member, lines: list[Line], tables: Tables | None) -> Iterator[SourceConcept]:
    """Sections, body systems and tables, which are no codes, and the codes below them."""
    headings = _headings(tables)
    headers = {line.bare: line.concept.display for line in lines if not line.concept.billable}
    told: set[str] = set()
    for line in lines:
        if not line.concept.billable:
            continue
        for prefix in (line.bare[:1], line.bare[:2], line.bare[:3]):
            if prefix not in told:
                told.add(prefix)
                title = headers.get(prefix) or headings.get(prefix) or f"Codes that begin with {prefix}"
                yield SourceConcept(prefix, title, (prefix[:-1],) if len(prefix) > 1 else (), False, group=True)
        axes = tables.axes(line.bare) if tables else {}
        if axes is None:
            refuse(listed, line.number, 7, f"{line.bare} stands in no table")
        yield dataclasses.replace(line.concept, parents=(line.bare[:3],), properties=axes)


def _headings(tables: Tables | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for prefix, ones in (tables.tables if tables else {}).items():
        section, system, operation = ones[0].labels
        found |= {prefix[0]: section, prefix[:2]: system, prefix: f"{system}, {operation}"}
    return found


def _hash(members: tuple[Member, ...], version: str) -> str:
    return hashlib.sha256("\n".join((READER, version, *(m.sha256() for m in members))).encode()).hexdigest()
