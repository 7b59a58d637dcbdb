"""Read the CPT data files of the American Medical Association: long, medium, short, consumer, clinician, modifiers.

https://www.ama-assn.org/practice-management/cpt
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from fhir_profiles.systems import CPT
from terminology.importers.cpt_lists import descriptors, listed
from terminology.importers.cpt_modifiers import modifiers
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.load import ACCEPTED
from terminology.importers.stamp import stamp
from terminology.source import Name, PropertyDef, Source, SourceConcept

READER = "cpt-1"
PROPERTIES = (
    PropertyDef("modifier", "boolean", description="Whether the code is a modifier"),
    PropertyDef(
        "kind",
        "code",
        description="code, cat-2, cat-3, pla or maaa; of modifiers general, physical-status, cat-1, cat-2 or hcpcs",
    ),
)
KINDS = {"F": "cat-2", "T": "cat-3", "U": "pla", "M": "maaa"}
"""By the last character of a code; every other is of category I."""

_YEAR = re.compile(r"CPT\D{0,20}(20\d\d)", re.IGNORECASE)
_SAID = re.compile(r"(20\d\d)(?:-(0[1-9]|1[0-2]))?")


def read(given: Given) -> list[Source]:
    """The edition in the data files; refused without the licence. Only the long descriptors must be there."""
    if ACCEPTED not in given.options:
        raise refusal("CPT is licensed by the American Medical Association: say --accept-licence when you have it")
    long = given.need(r"LONGULT\.txt", "The file of long descriptors LONGULT.txt")
    others = _found(given, {"medium": r"MEDU\.txt", "short": r"SHORTU\.txt"})
    lay = _found(given, {"consumer": r"ConsumerDescriptors?\.txt", "synonym": r"ClinicianDescriptors?\.txt"})
    appendix = _found(given, {"appendix": r"MODUL\.txt"})
    used = (long, *others.values(), *lay.values(), *appendix.values())
    version, start = _edition(given, long)
    concepts = [*_codes(long, others, lay), *(c for member in appendix.values() for c in modifiers(member))]
    mark = stamp(READER, used, version)
    return [
        Source(
            name="cpt",
            system=CPT,
            version=version,
            title="CPT",
            start=start,
            end=given.end or date(start.year, 12, 31),
            content="complete",
            origin=f"AMA data files {', '.join(m.short for m in used)}",
            licence="Copyright American Medical Association; licence acknowledged at loading",
            fingerprint=mark.fingerprint,
            concepts=partial(iter, concepts),
            properties=PROPERTIES,
            files=mark.files,
            total=len(concepts),
        )
    ]


def _found(given: Given, patterns: Mapping[str, str]) -> dict[str, Member]:
    return {kind: member for kind, pattern in patterns.items() if (member := given.find(pattern))}


def _edition(given: Given, long: Member) -> tuple[str, date]:
    """Version and first day: what the person says, else the year in the name of file, folder or archive."""
    said = _SAID.fullmatch(given.version or "")
    if said:
        return said[0], given.start or date(int(said[1]), int(said[2] or 1), 1)
    places = (*reversed(long.name.split("/")), long.path.name, long.path.parent.name)
    year = next((found[1] for text in places if (found := _YEAR.search(text))), None)
    if year is None:
        refuse(long, 0, 0, "neither folder nor archive says the year (as in CPT 2026): give --version 2026")
    return year, given.start or date(int(year), 1, 1)


def _codes(long: Member, others: Mapping[str, Member], lay: Mapping[str, Member]) -> Iterator[SourceConcept]:
    displays = dict(listed(long, 4000))
    names: defaultdict[str, list[Name]] = defaultdict(list)
    for kind, member in others.items():
        found = dict(listed(member, {"medium": 48, "short": 28}[kind], displays))
        missing = next((code for code in displays if code not in found), None)
        if missing:
            refuse(member, 0, 0, f"the code {missing} of {long.short} is missing")
        for code, text in found.items():
            names[code].append(Name(text, kind))
    for kind, member in lay.items():
        for code, text in descriptors(member, kind):
            names[code].append(Name(text, kind))
    for code, display in displays.items():
        yield SourceConcept(
            code,
            display,
            billable=True,
            names=tuple(names[code]),
            properties={"modifier": False, "kind": KINDS.get(code[4], "code")},
        )
