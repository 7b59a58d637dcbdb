"""The packages of a data directory: several, and several versions of one, side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_profiles.conform.registry import Profiles, version_key
from fhir_profiles.conform.rules import Profile, read_profile
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.packages.archive import Limits, Told, read_archive, refuse
from fhir_profiles.packages.file import SUFFIX, Index, Package, open_package, write_package

FOLDER = "packages"
LOOK_SECONDS = 1.0
"""How often an open library looks for packages that were loaded meanwhile."""


def open_all(data: Path) -> list[Package]:
    """Every package of a data directory; FhirError(UNAVAILABLE) names one that is damaged or of another version."""
    return [open_package(path) for path in sorted((data / FOLDER).glob(f"*{SUFFIX}"))]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading a package. `counts` are resources by type, `unusable` profiles that cannot be compiled."""

    name: str
    version: str
    title: str
    written: bool
    counts: dict[str, int]
    missing: tuple[str, ...]
    unusable: tuple[str, ...]


class Library:
    """Every package in `DATA/packages` as one source; a package that is loaded later is found within a second."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER
        self._packages: dict[str, Package] = {}
        self._seen: int | None = None
        self._looked = float("-inf")

    @property
    def packages(self) -> tuple[Package, ...]:
        """All packages; files that are damaged or of another version are left out."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._look()
        return tuple(self._packages.values())

    def profiles(self, url: str) -> Sequence[Profile]:
        """Every version of a profile."""
        return [p for package in self.packages for p in package.profiles(url)]

    def resources(self, resource_type: str, url: str) -> Sequence[dict[str, Any]]:
        """Every version of a resource as it was published."""
        return [r for package in self.packages for r in package.resources(resource_type, url)]

    def types(self) -> Iterator[tuple[str, str]]:
        """The type and canonical of each profile."""
        for package in self.packages:
            yield from package.types()

    def canonicals(self, resource_type: str) -> list[str]:
        """The canonicals with versions of all resources of a type, sorted."""
        return sorted({one for package in self.packages for one in package.canonicals(resource_type)})

    def search_parameters(self) -> list[dict[str, Any]]:
        """Every SearchParameter, of each URL the newest version, in the order of their URLs."""
        newest: dict[str, dict[str, Any]] = {}
        for package in self.packages:
            for one in package.all("SearchParameter"):
                known = newest.get(one["url"])
                if known is None or version_key(known.get("version", "")) < version_key(one.get("version", "")):
                    newest[one["url"]] = one
        return [newest[url] for url in sorted(newest)]

    def _look(self) -> None:
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            self._packages, self._seen = {}, None
            return
        if changed == self._seen:
            return
        found: dict[str, Package] = {}
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                found[path.name] = open_package(path)
            except FhirError:
                continue  # `fhirwright doctor` names it; the others must go on working
        self._packages, self._seen = found, changed


def install(data: Path, file: Path, limits: Limits = Limits(), told: Told | None = None) -> Loaded:  # noqa: B008 - frozen
    """Load a package's `.tgz` into a data directory. Loading the same file again changes nothing.

    FhirError(INCORRECT) says what cannot be read; FhirError(CONFLICT) when other content has this name and version.
    """
    archive = read_archive(file, limits, told)
    library = Library(data)
    path = data / FOLDER / f"{archive.name}@{archive.version}{SUFFIX}"
    standing = next((p for p in library.packages if p.path == path), None)
    if standing is not None and standing.index.digest != archive.digest:
        text = f"{archive.name} {archive.version} is loaded with other content. Remove {path.name} to load this one."
        raise FhirError.of(Category.CONFLICT, "duplicate", text)
    if standing is None:
        resources = []
        for entry, resource, body in archive.resources:
            resources.append((resource, body, _profile(file, entry, resource, f"{archive.name}@{archive.version}")))
        path.parent.mkdir(parents=True, exist_ok=True)
        index = Index(archive.name, archive.version, archive.title, archive.dependencies, archive.digest, ())
        write_package(path, index, resources)
    package, library = open_package(path), Library(data)
    present = {p.index.name for p in library.packages}
    counts: dict[str, int] = {}
    for one in package.index.entries:
        counts[one.type] = counts.get(one.type, 0) + 1
    return Loaded(
        archive.name,
        archive.version,
        archive.title,
        standing is None,
        counts,
        tuple(sorted(set(archive.dependencies) - present - {"hl7.fhir.r4.core"})),
        tuple(_unusable(package, Profiles([library]))),
    )


def _profile(file: Path, entry: str, resource: dict[str, Any], stamp: str) -> Profile | None:
    if resource["resourceType"] != "StructureDefinition":
        return None
    try:
        return read_profile(resource, stamp)
    except FhirError as error:
        raise refuse(file, entry, error) from error


def _unusable(package: Package, profiles: Profiles) -> Iterator[str]:
    """The profiles that cannot be compiled, with the reason: resources that claim them are reported, not passed."""
    for _, canonical in package.types():
        try:
            profiles.checker(canonical)
        except FhirError as error:
            yield f"{canonical}: {error}"
