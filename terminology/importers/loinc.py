"""Read a release of LOINC, or its table alone (https://loinc.org/downloads, https://terminology.hl7.org/LOINC.html).

`Loinc.csv` is needed. What else is given is used: parts and which terms are made of them, the hierarchy, answer lists,
consumer names, names in other languages, panels, replacements. Terms, parts (LP), answers (LA) and answer lists (LL)
are concepts; the answers of a list are the subset of its id, so `http://loinc.org/vs/LL…` is its value set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

from fhir_profiles.systems import LOINC
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.loinc_answers import Answers, read_answers
from terminology.importers.loinc_parts import read_parts
from terminology.importers.loinc_terms import PROPERTIES, newest_change, read_terms
from terminology.importers.rows import table
from terminology.importers.stamp import stamp
from terminology.source import Source, SourceConcept, Subset

READER = "loinc 1"
LICENCE = "LOINC is copyright Regenstrief Institute, Inc. and the LOINC Committee; free under loinc.org/license"
FILES = {
    "parts": r"Part\.csv",
    "links": r"LoincPartLink_Primary\.csv",
    "hierarchy": r"ComponentHierarchyBySystem\.csv|MultiAxialHierarchy\.csv",
    "answers": r"AnswerList\.csv",
    "uses": r"LoincAnswerListLink\.csv",
    "consumer": r"ConsumerName\.csv",
    "panels": r"PanelsAndForms\.csv",
    "replaced": r"MapTo\.csv",
}
_VARIANT = r"[a-z]{2}[A-Z]{2}\d+LinguisticVariant\.csv"
_RELEASE = re.compile(r"Loinc_?(\d\.\d\d)", re.IGNORECASE)


def read(given: Given) -> list[Source]:
    """The edition of a release: its version stands in the name of the archive or folder, else in its newest change."""
    terms = _one(given, r"Loinc\.csv") or given.need(r"Loinc\.csv", "The file LoincTable/Loinc.csv")
    accessories = {name: _one(given, pattern) for name, pattern in FILES.items()}
    variants = sorted(given.all(_VARIANT), key=lambda m: m.short)
    version = given.version or _release(given) or newest_change(terms)
    if version is None:
        raise refusal("The table does not say its release: say --version 2.81")
    made = stamp(READER, (terms, *accessories.values(), *variants), version, given.start, given.end)
    release = _Release(terms, accessories, variants)
    return [
        Source(
            name="loinc",
            system=LOINC,
            version=version,
            title="LOINC",
            start=given.start,
            end=given.end,
            content="complete",
            origin=f"Regenstrief Institute, LOINC {version}: {len(made.files)} files",
            licence=LICENCE,
            fingerprint=made.fingerprint,
            concepts=release.concepts,
            subsets=release.subsets,
            properties=PROPERTIES,
            sensitive=False,
            files=made.files,
        )
    ]


def _one(given: Given, pattern: str) -> Member | None:
    """The file of that name; of copies, of which a release has several, the one that is not only about panels."""
    every = given.all(pattern)
    whole = [m for m in every if "/PanelsAndForms/" not in f"/{m.name}"] or every
    found = sorted(whole, key=lambda m: (m.name.count("/"), m.name))
    if len(found) > 1 and len({m.sha256() for m in found}) > 1:
        raise refusal(f"{', '.join(m.name for m in found[:4])} differ; give one release")
    return found[0] if found else None


def _release(given: Given) -> str | None:
    names = (part for path in given.paths for part in (path.name, *path.absolute().parts[::-1]))
    inside = (member.name for member in given.members)
    return next((found[1] for name in (*names, *inside) if (found := _RELEASE.search(name))), None)


class _Release:
    """The files of a release; answer lists are kept between the concepts and the subsets."""

    def __init__(self, terms: Member, files: dict[str, Member | None], variants: Iterable[Member]) -> None:
        self._terms = terms
        self._files = files
        self._variants = tuple(variants)
        self._answers: Answers | None = None

    def concepts(self) -> Iterator[SourceConcept]:
        files = self._files
        known = frozenset(row["LOINC_NUM"] for row in table(self._terms, ("LOINC_NUM",)))
        if not known:
            refuse(self._terms, 2, 1, "the file has no terms")
        self._answers = read_answers(files["answers"], files["uses"], known)
        parts = read_parts(files["parts"], files["links"], files["hierarchy"], known)
        yield from parts.concepts()
        named = partial(read_terms, self._terms, parts, self._answers, known)
        yield from named(files["consumer"], self._variants, files["panels"], files["replaced"])
        yield from self._answers.concepts()

    def subsets(self) -> Iterable[Subset]:
        return () if self._answers is None else self._answers.subsets()
