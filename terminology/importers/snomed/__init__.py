"""Read a release of SNOMED CT, RF2 snapshot (https://docs.snomed.org/snomed-ct-specifications/snomed-ct-release-file-specification).

Nothing of SNOMED CT is in this package but the identifiers by which its files are understood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property

from fhir_profiles.systems import CONCEPT_PROPERTIES, SNOMED, SNOMED_ID
from terminology import sctid
from terminology.importers.given import Given, refuse
from terminology.importers.snomed.concepts import Concepts
from terminology.importers.snomed.edition import day_of, version_of
from terminology.importers.snomed.files import Release, line_of, release_of
from terminology.importers.snomed.maps import maps
from terminology.importers.snomed.names import Names
from terminology.importers.snomed.refsets import Refsets
from terminology.importers.snomed.relations import Relations
from terminology.source import MapSource, PropertyDef, Source, SourceConcept, Subset

READER = "1"
"""Raise when the same files would be read into something else."""

LICENCE = "SNOMED International affiliate licence, or that of your national release centre"

_PROPERTIES = (
    PropertyDef("inactive", "boolean", f"{CONCEPT_PROPERTIES}inactive", "Not in use any more"),
    PropertyDef("sufficientlyDefined", "boolean", f"{SNOMED}#sufficientlyDefined", "Defined by its relationships"),
    PropertyDef("moduleId", "code", f"{SNOMED}#moduleId", "The module that maintains it"),
    PropertyDef("effectiveTime", "string", f"{SNOMED}#effectiveTime", "The day of its latest change, YYYYMMDD"),
    PropertyDef("inactivationReason", "code", f"{SNOMED_ID}/{sctid.INACTIVATION_INDICATOR}", "Why inactive"),
    *(
        PropertyDef(name, "code", f"{SNOMED_ID}/{refset}", "Historical association of an inactive concept")
        for refset, name in sctid.ASSOCIATIONS.items()
    ),
)


def read(given: Given) -> list[Source | MapSource]:
    """The edition in the snapshot files of a release, and its maps; refuses damaged files by line and column."""
    release = release_of(given)
    version = version_of(given, release)
    files = tuple((member.name, member.sha256()) for member in release.files)
    fingerprint = hashlib.sha256(repr((READER, version, sorted(files))).encode()).hexdigest()
    reading = _Reading(release)
    edition = Source(
        name="snomed",
        system=SNOMED,
        version=version,
        title="SNOMED CT",
        start=day_of(version),
        end=None,
        content="complete",
        origin=f"RF2 release, {len(files)} files",
        licence=LICENCE,
        fingerprint=fingerprint,
        concepts=reading.concepts,
        properties=_PROPERTIES,
        subsets=reading.subsets,
        files=files,
    )
    return [edition, *maps(release, version, LICENCE, fingerprint)]


class _Reading:
    """One reading of a release: what the concepts were made of stays for the subsets."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._titles: dict[str, str] = {}

    @cached_property
    def _concepts(self) -> Concepts:
        return Concepts(self._release)

    @cached_property
    def _refsets(self) -> Refsets:
        return Refsets(self._release, self._concepts)

    def concepts(self) -> Iterator[SourceConcept]:
        """Every concept; all files are read and checked before the first."""
        concepts, release, refsets = self._concepts, self._release, self._refsets
        relations = Relations(release, concepts)
        names = Names(release, concepts)
        for place, code in enumerate(concepts.codes):
            found = names.take(place)
            if found is None:
                refuse(*line_of(concepts.members, (0, code)), 1, "no description file has a name of this concept")
            display, others = found
            if refsets.lists(code):
                self._titles[code] = display
            yield SourceConcept(
                code,
                display,
                relations.parents(place),
                active=bool(concepts.active[place]),
                names=others,
                notes=tuple(("definition", text) for text in names.definitions.get(place, ())),
                properties=_joined(concepts.facts(place), refsets.facts(place)),
                relations=relations.attributes(place),
            )

    def subsets(self) -> Iterator[Subset]:
        """Each reference set of concepts; asked for after the concepts."""
        return self._refsets.subsets(lambda refset: self._titles.get(refset, refset))


def _joined(shared: dict[str, object], own: dict[str, object]) -> dict[str, object]:
    """One object for all concepts that have the same properties."""
    return {**shared, **own} if own else shared
