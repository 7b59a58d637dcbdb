"""A package as one file of ours: an index, the profiles ready to compile, the resources as they were published.

The file is mapped into memory and only its index is read at once, so that a package of thousands of resources opens in
a millisecond; a profile is decoded when it is first asked for.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.conform.rules import Profile
from fhir_profiles.errors import Category, FhirError

SUFFIX = ".package"
_MAGIC = b"FWPKG001"
"""The last digits count the forms of this file; a file of another form must be loaded again."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One resource: what it is, and where its JSON and, for a profile, its rules stand after the index."""

    type: str
    url: str
    version: str
    constrains: str
    body: tuple[int, int]
    rules: tuple[int, int] | None


class Index(msgspec.Struct, frozen=True, array_like=True):
    """What a package file begins with."""

    name: str
    version: str
    title: str
    dependencies: dict[str, str]
    digest: str
    entries: tuple[Entry, ...]


class Package:
    """An open package: a source of profiles and of the resources beside them."""

    def __init__(self, path: Path, index: Index, content: mmap.mmap, start: int) -> None:
        self.path = path
        self.index = index
        self._content = content
        self._start = start
        self._by_url: dict[tuple[str, str], list[Entry]] = {}
        for entry in index.entries:
            self._by_url.setdefault((entry.type, entry.url), []).append(entry)
        self.profile = lru_cache(maxsize=4_096)(self._profile)

    def profiles(self, url: str) -> Sequence[Profile]:
        """The profile of that URL, if it is here."""
        return [self.profile(e) for e in self._by_url.get(("StructureDefinition", url), ()) if e.rules]

    def resources(self, resource_type: str, url: str) -> Sequence[dict[str, Any]]:
        """The resource of that URL as it was published, if it is here."""
        return [self._resource(e) for e in self._by_url.get((resource_type, url), ())]

    def canonicals(self, resource_type: str) -> Iterator[str]:
        """The canonical with version of each resource of a type; nothing is decoded."""
        return (f"{e.url}|{e.version}".removesuffix("|") for e in self.index.entries if e.type == resource_type)

    def all(self, resource_type: str) -> Iterator[dict[str, Any]]:
        """Every resource of a type."""
        return (self._resource(e) for e in self.index.entries if e.type == resource_type)

    def types(self) -> Iterator[tuple[str, str]]:
        """The type and the canonical with version of each profile."""
        return ((e.constrains, f"{e.url}|{e.version}") for e in self.index.entries if e.rules)

    def _profile(self, entry: Entry) -> Profile:
        assert entry.rules is not None
        return msgspec.msgpack.decode(zlib.decompress(self._slice(entry.rules)), type=Profile)

    def _resource(self, entry: Entry) -> dict[str, Any]:
        return json.decode(zlib.decompress(self._slice(entry.body)))

    def _slice(self, at: tuple[int, int]) -> bytes:
        return self._content[self._start + at[0] : self._start + at[0] + at[1]]


def write_package(path: Path, index: Index, resources: Sequence[tuple[dict[str, Any], bytes, Profile | None]]) -> None:
    """Write the file of a package: whole or not at all. `index` comes without entries."""
    entries, blobs, at = [], [], 0
    for resource, body, profile in resources:
        packed = zlib.compress(body, 6)
        rules = zlib.compress(msgspec.msgpack.encode(profile), 1) if profile else b""
        entries.append(
            Entry(
                resource["resourceType"],
                resource["url"],
                resource.get("version", ""),
                profile.type if profile else "",
                (at, len(packed)),
                (at + len(packed), len(rules)) if profile else None,
            )
        )
        blobs += [packed, rules]
        at += len(packed) + len(rules)
    head = msgspec.msgpack.encode(msgspec.structs.replace(index, entries=tuple(entries)))
    scratch = path.with_name(f".{path.name}.part")
    with scratch.open("wb") as out:
        out.write(_MAGIC + len(head).to_bytes(8, "big") + head)
        out.writelines(blobs)
    scratch.replace(path)


def open_package(path: Path) -> Package:
    """Map a package file; FhirError(UNAVAILABLE) when it is not one of this version's form."""
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if content[:8] != _MAGIC:
            raise ValueError("another form")
        start = 16 + int.from_bytes(content[8:16], "big")
        return Package(path, msgspec.msgpack.decode(content[16:start], type=Index), content, start)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        text = f"The package file {path.name} is damaged or of another version. Load the package again."
        raise FhirError.of(Category.UNAVAILABLE, "exception", text) from error
