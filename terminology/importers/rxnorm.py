"""Read a release of RxNorm in Rich Release Format (https://terminology.hl7.org/RxNorm.html).

Needed is RXNCONSO; RXNREL, RXNSAT, RXNSTY, RXNSAB, RXNCUI and RXNATOMARCHIVE are used where they are given. A concept
is a CUI that RxNorm itself names (SAB=RXNORM). Names by other sources are left out and counted, for they are licensed;
with `--accept-licence` they are read as synonyms. The NDCs of RXNSAT become a map to RxNorm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property

from fhir_profiles.systems import BASE, NDC, RXNORM
from terminology.importers.days import read_day
from terminology.importers.given import Given, Member, refusal
from terminology.importers.rrf import Rrf
from terminology.importers.rxnorm_names import Names, read_names
from terminology.importers.rxnorm_rest import Facts, read_facts, read_links, read_retired, read_types
from terminology.importers.stamp import Stamp, stamp
from terminology.source import MapRow, MapSource, PropertyDef, Relation, Source, SourceConcept

READER = "rxnorm 1"
LICENCE = "US National Library of Medicine; what has SAB=RXNORM is free, other sources need a UMLS licence"
SABS = (
    "VCUI", "RCUI", "VSAB", "RSAB", "SON", "SF", "SVER", "VSTART", "VEND", "IMETA", "RMETA", "SLC", "SCC", "SRL",
    "TFR", "CFR", "CXTY", "TTYL", "ATNL", "LAT", "CENC", "CURVER", "SABIN", "SSN", "SCIT",
)  # fmt: skip
FILES = ("RXNCONSO", "RXNREL", "RXNSAT", "RXNSTY", "RXNSAB", "RXNCUI", "RXNATOMARCHIVE")
PROPERTIES = (
    PropertyDef("TTY", "code", None, "Term types: IN, PIN, MIN, BN, SCD, SBD, SCDC, GPCK …"),
    PropertyDef("STY", "Coding", None, "Semantic types"),
    PropertyDef("SAB", "code", None, "Sources that name the concept"),
    PropertyDef("NDC", "code", None, "National Drug Codes of eleven digits"),
    PropertyDef("SUPPRESS", "code", None, "O: obsolete; Y, E: suppressed by the editors"),
    PropertyDef("replaced_by", "code", None, "The concept that took the place of one that was retired"),
)
_RELEASE = re.compile(r"RxNorm_\w{4,12}_(\d{8})", re.IGNORECASE)
_VERSION = re.compile(r"RXNORM_\d\dA[A-Z]_(\d{6})[A-Z]?")


def read(given: Given) -> list[Source | MapSource]:
    """The edition, whose version is the day of its release (MMDDYYYY), and the map from NDC."""
    members = {name: _one(given, name) for name in FILES}
    conso = members["RXNCONSO"]
    if conso is None:
        raise refusal("The file RXNCONSO.RRF is missing")
    released = _released(given, members["RXNSAB"])
    version = given.version or (released.strftime("%m%d%Y") if released else None)
    if version is None:
        raise refusal("The files do not say their release: say --version MMDDYYYY, or give RXNSAB.RRF too")
    licensed = "accept-licence" in given.options
    names = read_names(conso, licensed=licensed)
    made = stamp(READER, members.values(), version, given.start, given.end, licensed)
    start = given.start or released or read_day(version, "%m%d%Y")
    left = f"; {names.left_out} names by other sources left out" if names.left_out else ""
    release = _Release(names, members)
    source = Source(
        name="rxnorm",
        system=RXNORM,
        version=version,
        title="RxNorm",
        start=start,
        end=given.end,
        content="complete",
        origin=f"NLM, RxNorm {version}: {len(made.files)} files{left}",
        licence=LICENCE,
        fingerprint=made.fingerprint,
        concepts=release.concepts,
        properties=PROPERTIES,
        files=made.files,
        total=len(names.names),
    )
    attributes = members["RXNSAT"]
    return [source] if attributes is None else [source, _map(release, attributes, version, made)]


class _Release:
    """The files of a release and what was read of them, for the concepts and for the map."""

    def __init__(self, names: Names, members: dict[str, Member | None]) -> None:
        self._names = names
        self._members = members

    @cached_property
    def facts(self) -> Facts:
        """The attributes of its concepts."""
        return read_facts(self._members["RXNSAT"], self._names.known)

    def concepts(self) -> Iterator[SourceConcept]:
        """Every concept of RxNorm, then those that were retired and of which a name is left."""
        names, members = self._names, self._members
        known = names.known
        types = read_types(members["RXNSTY"], known)
        links = read_links(members["RXNREL"], known)
        retired = read_retired(members["RXNATOMARCHIVE"], members["RXNCUI"], known)
        for cui in sorted(names.names):
            relations = tuple(Relation(type_, str(target)) for type_, target in links.of(cui))
            yield names.concept(cui, {**types.get(cui, {}), **self.facts.of(cui)}, relations)
        for cui, (display, type_, instead) in sorted(retired.items()):
            remapped = {"replaced_by": instead} if instead else {}
            yield SourceConcept(str(cui), display, active=False, properties={"TTY": type_, "SAB": "RXNORM", **remapped})

    def rows(self) -> Iterator[MapRow]:
        """NDC to RxNorm; a package is narrower than the drug that it holds."""
        pairs = ((ndc, cui) for cui in self._names.names for ndc in self.facts.of(cui).get("NDC", ()))
        for ndc, cui in sorted(pairs):
            yield MapRow(ndc, str(cui), "wider")


def _map(release: _Release, attributes: Member, version: str, made: Stamp) -> MapSource:
    return MapSource(
        name="ndc-rxnorm",
        url=f"{BASE}/ConceptMap/ndc-rxnorm",
        version=version,
        title="NDC to RxNorm",
        source=NDC,
        target=RXNORM,
        origin=f"NLM, RxNorm {version}: {attributes.short}",
        licence=LICENCE,
        fingerprint=made.fingerprint,
        rows=release.rows,
        files=made.files,
    )


def _one(given: Given, name: str) -> Member | None:
    """The file of that name; of a release that holds the prescribable subset too, the whole one."""
    found = given.all(rf"{name}\.RRF")
    whole = [m for m in found if "prescribe" not in m.name.lower()] or found
    if len(whole) > 1:
        raise refusal(f"Several files could be meant: {', '.join(m.name for m in whole[:4])}; give one release")
    return whole[0] if whole else None


def _released(given: Given, sabs: Member | None) -> date | None:
    """From the list of sources, else from the names of what was given."""
    if sabs is not None:
        file = Rrf(sabs, SABS)
        for number, fields in file.lines("|RXNORM|"):
            if fields[file.at["RSAB"]] == "RXNORM":
                found = _VERSION.fullmatch(fields[file.at["VSAB"]])
                day = read_day(found[1], "%y%m%d") if found else None
                if day is None:
                    file.refuse(number, fields, "VSAB", "the version of RxNorm is expected, as RXNORM_20AA_251006F")
                return day
    parts = (part for path in given.paths for part in (path.name, *path.absolute().parts[::-1]))
    named = (*parts, *(member.name for member in given.members))
    return next((read_day(found[1], "%m%d%Y") for name in named if (found := _RELEASE.search(name))), None)
