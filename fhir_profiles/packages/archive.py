"""Read a package's archive without trusting it (https://hl7.org/fhir/packages.html).

Nothing is unpacked to disk. Links, devices and paths that leave the package are refused, and so is what is larger than
the limits, before it is read. Every refusal names the entry and, for JSON, the line.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError

MIB = 1024 * 1024
KINDS = ("StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter", "ConceptMap", "ImplementationGuide")
"""The resources of a package that are kept; the others say nothing that is checked or searched."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.\-_]{0,127}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-+]{0,63}")
_BYTE = re.compile(r"\(byte (\d+)\)")
_FOLDER = "package"
_MANIFEST = f"{_FOLDER}/package.json"

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a package may hold: bytes when unpacked, entries, and bytes of one entry."""

    total: int = 1024 * MIB
    entries: int = 50_000
    entry: int = 64 * MIB


@dataclass(frozen=True, slots=True)
class Archive:
    """A package as it was read: its manifest and its resources with the entry and the bytes of each."""

    name: str
    version: str
    title: str
    dependencies: dict[str, str]
    digest: str
    resources: tuple[tuple[str, dict[str, Any], bytes], ...]


class _Manifest(msgspec.Struct, rename="camel"):
    name: str
    version: str
    title: str = ""
    fhir_versions: list[str] = msgspec.field(default_factory=list)
    listed: list[str] = msgspec.field(default_factory=list, name="fhir-version-list")
    dependencies: dict[str, str] = msgspec.field(default_factory=dict)


def read_archive(file: Path, limits: Limits = Limits(), told: Told | None = None) -> Archive:
    """The package in a `.tgz`; FhirError(INCORRECT) names the file, the entry and the line of what is wrong."""
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            entries = dict(_entries(file, stream, limits, told))
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise _refusal(file, "", "it is not a readable .tgz archive", "Fetch it again.") from error
    if _MANIFEST not in entries:
        raise _refusal(file, _MANIFEST, "it is missing", "A package has its manifest there.")
    manifest = _manifest(file, entries.pop(_MANIFEST))
    resources = []
    for name, body in sorted(entries.items()):
        resource = _resource(file, name, body)
        if resource is not None:
            resources.append((name, resource, body))
    return Archive(manifest.name, manifest.version, manifest.title, manifest.dependencies, digest, tuple(resources))


def _entries(file: Path, stream: BinaryIO, limits: Limits, told: Told | None) -> Iterator[tuple[str, bytes]]:
    size = file.stat().st_size
    total = 0
    with tarfile.open(fileobj=stream, mode="r|gz") as archive:
        for count, member in enumerate(archive, 1):
            if told:
                told(file.name, min(stream.tell(), size), size)
            path = PurePosixPath(member.name)
            total += member.size
            if count > limits.entries:
                raise _refusal(file, "", f"it has more than {limits.entries} entries", "Raise the limit to load it.")
            if member.size > limits.entry or total > limits.total:
                most = limits.entry if member.size > limits.entry else limits.total
                raise _refusal(file, _shown(member.name), f"more than {most} bytes", "Raise the limit to load it.")
            if path.is_absolute() or ".." in path.parts:
                raise _refusal(file, _shown(member.name), "its path leaves the package", "Do not load this file.")
            if member.isdir():
                continue
            if not member.isfile():
                raise _refusal(file, _shown(member.name), "it is a link or a device", "Do not load this file.")
            if path.parent == PurePosixPath(_FOLDER) and path.suffix == ".json" and path.name[:1] != ".":
                content = archive.extractfile(member)
                yield str(path), content.read() if content else b""


def _shown(name: str) -> str:
    """A name from an archive as it can be printed."""
    return "".join(c if c.isprintable() else "?" for c in name[:200])


def _manifest(file: Path, body: bytes) -> _Manifest:
    try:
        manifest = msgspec.json.decode(body, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refusal(file, _at(_MANIFEST, body, error), "it is not a package manifest", "Correct it.") from error
    if not _NAME.fullmatch(manifest.name) or not _VERSION.fullmatch(manifest.version):
        raise _refusal(file, _MANIFEST, "the name or version is not one of a package", "Correct it.")
    versions = manifest.fhir_versions or manifest.listed
    if versions and not any(v.startswith("4.0") for v in versions):
        raise _refusal(file, _MANIFEST, "it is for another FHIR version", "Load the package made for R4 (4.0.1).")
    return manifest


def _resource(file: Path, name: str, body: bytes) -> dict[str, Any] | None:
    """A resource that is kept, None for another; refused when it cannot be told by a URL."""
    try:
        resource = json.decode(body)
    except FhirError as error:
        raise _refusal(file, _at(name, body, error.__cause__ or error), str(error), "Correct it.") from error
    if resource.get("resourceType") not in KINDS:
        return None
    if not isinstance(resource.get("url"), str) or not isinstance(resource.get("version", ""), str):
        raise _refusal(file, name, "it has no canonical url", "Give it one.")
    return resource


def _at(name: str, body: bytes, error: BaseException) -> str:
    """The entry and the line that a decoder's message speaks of."""
    found = _BYTE.search(str(error))
    return f"{name}, line {body[: int(found[1])].count(10) + 1}" if found else name


def _refusal(file: Path, where: str, what: str, remedy: str) -> FhirError:
    text = f"{file.name}{f', {where}' if where else ''}: {what.rstrip('.')}. {remedy}"
    return FhirError.of(Category.INCORRECT, "invalid", text)


def refuse(archive: Path, entry: str, error: FhirError) -> FhirError:
    """An error in a resource, with the file and entry that it stands in."""
    problem = error.problems[0]
    where = f"{entry}{f' at {problem.expression}' if problem.expression else ''}"
    return _refusal(archive, where, problem.text, "The package was not loaded.")
