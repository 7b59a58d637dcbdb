"""Read the relative value file of Medicare's physician fee schedule: codes of CPT and HCPCS with their status.

https://www.cms.gov/medicare/payment/fee-schedules/physician/pfs-relative-value-files

The file holds codes of two systems and neither of them whole: both editions are fragments. Descriptors of CPT are
copyright of the American Medical Association: without its licence a code has our own label, or no display.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from fhir_profiles.systems import CPT, HCPCS
from terminology.fragments import starter
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.load import ACCEPTED
from terminology.importers.pprrvu_rows import rows, title_of
from terminology.importers.release import MONTH, release_of
from terminology.importers.rows import Row
from terminology.importers.stamp import stamp
from terminology.source import Name, PropertyDef, Source, SourceConcept

READER = "pprrvu-1"
PROPERTIES = (
    PropertyDef("status", "code", description="Medicare status: A, B, C, E, I, J, M, N, P, R, T or X"),
    PropertyDef("component", "code", description="Modifiers that have a row of their own: 26, TC, 53"),
    PropertyDef("global-days", "code", description="Global period: 000, 010, 090, MMM, XXX, YYY or ZZZ"),
    PropertyDef("pc-tc", "code", description="Professional and technical component indicator"),
    PropertyDef("multiple-procedure", "code", description="Multiple procedure indicator"),
    PropertyDef("bilateral", "code", description="Bilateral surgery indicator"),
    PropertyDef("assistant", "code", description="Assistant at surgery indicator"),
    PropertyDef("co-surgeon", "code", description="Co-surgeon indicator"),
    PropertyDef("team", "code", description="Team surgery indicator"),
    PropertyDef("endoscopic-base", "code", description="Base code of the endoscopic family"),
    PropertyDef("supervision", "code", description="Physician supervision of diagnostic procedures"),
    PropertyDef("imaging-family", "code", description="Diagnostic imaging family indicator"),
)
_COLUMNS = {
    "status": "STATUS",
    "global-days": "GLOB",
    "pc-tc": "PCTC",
    "multiple-procedure": "MULT",
    "bilateral": "BILAT",
    "assistant": "ASST",
    "co-surgeon": "CO",
    "team": "TEAM",
    "endoscopic-base": "ENDO",
    "supervision": "SUPERVISION",
    "imaging-family": "FAMILY",
}
_CHECKS = {
    "HCPCS": (re.compile(r"[A-Z]\d{4}|\d{4}[0-9A-Z]"), "a code of five characters is expected"),
    "MOD": (re.compile(r"([0-9A-Z]{2})?"), "a modifier or nothing is expected"),
    "STATUS": (re.compile(r"[A-Z]"), "a status letter is expected"),
    "GLOB": (re.compile(r"\d{3}|[MXYZ]{3}"), "a global period such as 010 or XXX is expected"),
    **dict.fromkeys(
        ("PCTC", "MULT", "BILAT", "ASST", "CO", "TEAM"), (re.compile(r"\d"), "an indicator of one digit is expected")
    ),
    "ENDO": (re.compile(r"(\d{4}[0-9A-Z]|[A-Z]\d{4})?"), "a code or nothing is expected"),
}
_FILE = r"PPRRVU.*\.(csv|txt)"
_NAME = rf"PPRRVU(?P<year>20\d\d|\d\d)_?(?P<month>{MONTH})?"
_TITLE = rf"(?P<year>20\d\d) National Physician Fee Schedule Relative Value File (?P<month>{MONTH})"


def read(given: Given) -> list[Source]:
    """Two fragments: CPT, and HCPCS Level II; codes of the American Dental Association only with the licence."""
    member = _member(given)
    release = release_of(given, member, (_NAME, member.short), (_TITLE, title_of(member)))
    licensed = ACCEPTED in given.options
    found = list(_concepts(member, licensed))
    mark = stamp(READER, [member], release.version, licensed)
    notice = "CPT: copyright American Medical Association" + ("; licence acknowledged at loading" if licensed else "")
    return [
        Source(
            name=name,
            system=system,
            version=f"pprrvu-{release.version}",
            title=title,
            start=release.start,
            end=release.end,
            content="fragment",
            origin=f"CMS relative value file {member.short}",
            licence=licence,
            fingerprint=f"{name}-{mark.fingerprint}",
            concepts=partial(iter, [concept for of, concept in found if of == system]),
            properties=PROPERTIES,
            files=mark.files,
            total=sum(of == system for of, _ in found),
        )
        for name, system, title, licence in (
            ("cpt", CPT, "CPT", notice),
            ("hcpcs", HCPCS, "HCPCS Level II", "US government work"),
        )
    ]


def _member(given: Given) -> Member:
    """The one file; of the two forms of a release the CSV; of its two conversion factors either (codes are equal)."""
    found = sorted(given.all(_FILE), key=lambda m: (m.short.lower().endswith(".txt"), "nonqpp" not in m.short.lower()))
    releases = {re.sub(r"_?(non)?qpp", "", m.short.lower()).rpartition(".")[0] for m in found}
    if len(releases) > 1:
        raise refusal(f"Several files could be meant: {', '.join(m.name for m in found[:5])}; give one")
    return found[0] if found else given.need(_FILE, "The relative value file PPRRVUyy_MMM.csv or .txt")


def _concepts(member: Member, licensed: bool) -> Iterator[tuple[str, SourceConcept]]:
    """System and concept of each code, whose rows with modifiers are gathered at it."""
    first: dict[str, Row] = {}
    components: dict[str, list[str]] = {}
    for row in rows(member):
        _check(row)
        code, modifier = row["HCPCS"], row["MOD"]
        known = components.setdefault(code, [])
        if modifier in known or (not modifier and code in first and not first[code]["MOD"]):
            row.refuse("HCPCS", f"the code {code} stands twice with the same modifier")
        if modifier:
            known.append(modifier)
        if code not in first or (first[code]["MOD"] and not modifier):
            first[code] = row
    if not first:
        refuse(member, 1, 1, "the file has no codes")
    labels = starter(CPT)
    for code, row in first.items():
        system = HCPCS if code[0].isalpha() else CPT
        if code.startswith("D") and not licensed:
            continue
        text = row["DESCRIPTION"] if licensed or system == HCPCS else ""
        yield system, _concept(row, text, components[code], labels.get(code) if system == CPT else None)


def _concept(row: Row, text: str, components: list[str], own: SourceConcept | None) -> SourceConcept:
    found: dict[str, Any] = {name: value for name, column in _COLUMNS.items() if (value := row[column])}
    if components:
        found["component"] = components if len(components) > 1 else components[0]
    names = () if own is None else (*((Name(own.display, "label"),) if text else ()), *own.names)
    display = text or (own.display if own else "")
    return SourceConcept(row["HCPCS"], display, billable=True, names=names, properties=found)


def _check(row: Row) -> None:
    for name, (pattern, expected) in _CHECKS.items():
        if not pattern.fullmatch(row[name]):
            row.refuse(name, expected)
    if not row["DESCRIPTION"]:
        row.refuse("DESCRIPTION", "a description is expected")
