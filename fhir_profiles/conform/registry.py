"""The profiles that are known, by canonical URL and version (https://hl7.org/fhir/R4/references.html#canonical)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from fhir_profiles.conform.elements import root_check
from fhir_profiles.conform.rules import Profile
from fhir_profiles.conform.tree import Node, build
from fhir_profiles.conform.values import Check

Json = dict[str, Any]
_NUMBER = re.compile(r"\d+")
MAX_COMPILED = 2_000
"""Compiled profiles that are kept; beyond it all are compiled anew, so that a stream of them cannot fill the memory."""


class Source(Protocol):
    """Where profiles and the resources beside them come from: those of ours, a package, the store."""

    def profiles(self, url: str) -> Sequence[Profile]:
        """Every version of a profile."""

    def resources(self, resource_type: str, url: str) -> Sequence[Json]:
        """Every version of a ValueSet, CodeSystem or StructureDefinition as it was published."""

    def types(self) -> Iterator[tuple[str, str]]:
        """Resource type and canonical URL with version of each profile that is there."""


class Profiles:
    """The registry that checks ask; sources that stand first win where they have the same version."""

    def __init__(self, sources: Sequence[Source] = ()) -> None:
        self.sources = tuple(sources)
        self._compiled: dict[tuple[str, str, str], Check] = {}
        self._trees: dict[tuple[str, str, str], Node] = {}

    def find(self, canonical: str) -> Profile | None:
        """The profile of that URL and version; the newest when no version is given."""
        url, _, version = canonical.partition("|")
        found = [p for source in self.sources for p in source.profiles(url)]
        if version:
            found = [p for p in found if _agrees(p.version, version)]
        return max(found, key=lambda p: version_key(p.version), default=None) if len(found) != 1 else found[0]

    def checker(self, canonical: str) -> Check | None:
        """The compiled check of a profile, None when it is not known; FhirError when it cannot be compiled."""
        profile = self.find(canonical)
        if profile is None:
            return None
        key = (profile.url, profile.version, profile.stamp)
        if key not in self._compiled:
            if len(self._compiled) >= MAX_COMPILED:
                self._compiled.clear()
                self._trees.clear()
            self._compiled[key] = root_check(self._tree(profile), profile.name)
        return self._compiled[key]

    def tree(self, canonical: str) -> Node | None:
        """What a profile asks, as a tree."""
        profile = self.find(canonical)
        return self._tree(profile) if profile else None

    def _tree(self, profile: Profile) -> Node:
        key = (profile.url, profile.version, profile.stamp)
        if key not in self._trees:
            self._trees[key] = build(profile, self.find)
        return self._trees[key]

    def resource(self, resource_type: str, canonical: str) -> Json | None:
        """A ValueSet, CodeSystem or StructureDefinition as it was published, the newest without a version."""
        url, _, version = canonical.partition("|")
        found = [r for source in self.sources for r in source.resources(resource_type, url)]
        if version:
            found = [r for r in found if _agrees(r.get("version", ""), version)]
        return max(found, key=lambda r: version_key(r.get("version", "")), default=None)

    def supported(self) -> tuple[tuple[str, str], ...]:
        """The type and the canonical with version of each profile that ships or is loaded, sorted."""
        return tuple(sorted({pair for source in self.sources for pair in source.types()}))


def _agrees(version: str, wanted: str) -> bool:
    """Whether a version is the one asked for, or of the major or minor one asked for (`6` and `6.1` find 6.1.0)."""
    return version == wanted or version.startswith(f"{wanted}.")


def version_key(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Orders versions by their numbers; a release comes after its own previews."""
    release, dash, _ = version.partition("-")
    return tuple(map(int, _NUMBER.findall(release))), not dash, version
